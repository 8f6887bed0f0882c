"""What a mailer tells Prometheus: bounded in its labels, and nothing of what was written."""

import pytest

from mailer.metrics import Metrics
from mailer.model.openrouter import Call
from mailer.model.replies import Receipt
from mailer.model.verdicts import ENDED_BADLY, Answer, Retry, Unusable
from mailer.words.checks import RULES, read


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of which nothing was counted yet."""
    return Metrics()


def test_a_call_counts_with_its_outcome_its_tokens_and_its_cost(metrics):
    """What an answer does not say is not made up: it adds nothing."""
    receipt = Receipt(200, prompt_tokens=700, completion_tokens=90, cost_usd=0.002)
    metrics.called(Call(Answer("{}"), receipt, 1500))
    metrics.called(Call(Retry("the model failed (503)"), Receipt(503), 200))

    told = metrics.registry.get_sample_value
    assert told("engage_mailer_model_calls_total", {"outcome": "answer"}) == 1
    assert told("engage_mailer_model_calls_total", {"outcome": "retry"}) == 1
    assert told("engage_mailer_model_call_seconds_sum") == pytest.approx(1.7)
    assert told("engage_mailer_model_tokens_total", {"kind": "prompt"}) == 700
    assert told("engage_mailer_model_tokens_total", {"kind": "completion"}) == 90
    assert told("engage_mailer_model_cost_usd_total") == pytest.approx(0.002)


def test_of_an_unusable_text_only_the_names_of_rules_are_told(metrics):
    """Whatever the model wrote, it makes no series of its own."""
    wrong = read('{"subject": "Dear Anna", "extra": 1}')
    verdicts = [one for one in ENDED_BADLY.values() if isinstance(one, Unusable)]
    assert len(verdicts) > 1
    assert isinstance(wrong, str)
    metrics.unusable((wrong,))
    metrics.unusable(("link", "offer"))
    for verdict in verdicts:
        metrics.unusable((verdict.reason,))

    found = {
        sample.labels["rule"]: sample.value
        for sample in metrics.broken_rules.collect()[0].samples
        if sample.name.endswith("_total")
    }
    assert found == {"form": 1, "link": 1, "offer": 1, "other": len(verdicts)}
    assert found.keys() <= {rule.name for rule in RULES} | {"form", "other"}
    unusable = metrics.registry.get_sample_value(
        "engage_mailer_texts_total", {"outcome": "unusable"}
    )
    assert unusable == 2 + len(verdicts)


def test_before_the_ledger_was_read_nobody_claims_that_it_balances(metrics):
    """No number is not zero."""
    imbalance = metrics.registry.get_sample_value("engage_ledger_imbalance")
    assert imbalance is not None
    assert imbalance != imbalance  # noqa: PLR0124 - what is no number equals nothing
