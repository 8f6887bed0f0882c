"""A fit says how good it is, is refused when it is not, and turns into a policy."""

import numpy as np
import pytest

from common.score.policy import Policy
from fitting.fit import Ask, against, fit
from fitting.held_out import drawn
from fitting.parameters import Parameters
from mailer.episodes.rules import in_holdout
from tests.unit.fitting.shops import history, made_up

BASE = Policy(horizon_days=60)
AS_OF = 10_340


def ask(**changes):
    return Ask("tests", AS_OF, "UTC", BASE)._replace(**changes)


@pytest.fixture(scope="module")
def found():
    """A good fit of a shop of 3,000 clients."""
    return fit(history(made_up(3_000)), ask())


def test_a_good_fit_has_nothing_against_it(found):
    """Enough clients, the right signs, better than recency, calibrated: it may be published."""
    assert against(found, max_ece=0.1) == []
    assert found.window.n >= 1_000


def test_the_fit_becomes_a_policy_with_the_shops_other_rules(found):
    """Only what was fitted is replaced; the file keeps it all."""
    base = Policy(version=7, holdout_percent=20, silence_max_days=120)
    policy = found.to_policy(base)
    assert policy.weights == found.policy.weights
    assert policy.gap_prior_days == found.policy.gap_prior_days
    assert (policy.version, policy.holdout_percent, policy.silence_max_days) == (7, 20, 120)


def test_the_file_reads_back_as_it_was(found, tmp_path):
    """What is saved is what is read."""
    found.save(tmp_path / "p.json")
    assert Parameters.read(tmp_path / "p.json") == found


def test_small_windows_are_refused():
    """Under 1,000 clients weights are found, but not to be put in force."""
    small = fit(history(made_up(600)), ask())
    assert any("1000 are needed" in reason for reason in against(small, 1.0))


def test_bad_calibration_and_ranking_are_refused(found):
    """A figure beyond its bar is a reason, and each reason is named."""
    assert any("calibration" in reason for reason in against(found, 1e-6))
    quality = found.quality.model_copy(update={"recency_auc": 0.99})
    worse = found.model_copy(update={"quality": quality})
    assert any("recency" in reason for reason in against(worse, 1.0))


def test_a_wrong_sign_is_refused():
    """Where clients who spend more come less, the value gets no weight and the fit is refused."""
    chance = np.random.default_rng(5)
    rows = []
    for client in range(1, 2_001):
        spend = float(chance.uniform(0, 1))
        days = chance.choice(400, size=1 + int(12 * (1 - spend)), replace=False)
        rows += [(client, 10_000 + int(day), 100 + int(1e6 * spend)) for day in days]
    reasons = against(fit(history(tuple(rows)), ask()), 1.0)
    assert any("weight of value" in reason for reason in reasons)


def test_held_out_clients_are_fitted_on_where_there_are_enough():
    """With 1,000 of them the fit is theirs; with fewer it is all clients', and says why."""
    rows = made_up(3_000)
    everyone = {str(client) for client, _, _ in rows}
    enough = fit(history(rows), ask(held_out={c for c in everyone if int(c) % 2}))
    few = fit(history(rows), ask(held_out={c for c in everyone if int(c) % 10 == 0}))
    assert enough.held_out.fitted_on
    assert enough.window.n == enough.held_out.clients_in_window
    assert not few.held_out.fitted_on
    assert "1000 are needed" in few.held_out.why_not
    assert few.held_out.calibration_error is not None
    assert few.window.n > 2_000


def test_the_draw_is_the_mailers():
    """Who is held out here is who is held out there."""
    for client in range(1, 500):
        assert drawn("salt", str(client), 10.0) == in_holdout("salt", client, 10.0)
