"""The explanation of a score is true: what it promises happens when the order is placed."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from common.score.explain import LEAST_AMOUNT, explain
from common.score.ledger import Ledger, entry_of_order
from common.score.model import assess
from common.score.policy import Policy, Weights

POLICIES = st.builds(
    Policy,
    weights=st.builds(
        Weights,
        intercept=st.floats(-800, 800) | st.floats(-4, 0),
        frequency=st.floats(0, 3),
        value=st.floats(0, 3),
        recency=st.floats(0, 3),
    ),
    gap_prior_days=st.floats(0.01, 1e5),
    half_life_days=st.floats(0.01, 1e5),
    rho=st.floats(0.01, 0.99),
    theta=st.floats(0.01, 0.99),
    silence_max_days=st.integers(1, 179),
) | st.just(Policy())
ORDERS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(1, 1_000_000)), min_size=1, max_size=12
)


def ledger_of(orders) -> Ledger:
    ledger = Ledger()
    for number, (day, cents) in enumerate(orders, start=1):
        ledger.merge_order(number, entry_of_order(number, day, cents, "paid"))
    return ledger


@given(ORDERS, POLICIES, st.integers(0, 900))
def test_the_promised_order_really_lifts_out_of_risk(orders, policy, today):
    """Placing the order leaves at_risk and lapsed, with the promised scores and safe days."""
    before = assess(ledger_of(orders), today, policy)
    assume(before.features is not None)
    assert before.features is not None
    why = explain(before.features, today, policy)
    assert why.score == before.score
    assert (why.lift is not None) == (before.state in {"at_risk", "lapsed"})
    if why.lift is None:
        return
    assert why.lift.score_before == before.score
    least = assess(ledger_of([*orders, (today, round(LEAST_AMOUNT * 100))]), today, policy)
    assert least.state == "active"
    assert least.score == pytest.approx(why.lift.score_after_least, abs=1e-9)
    usual = before.features.value / before.features.frequency
    cents = round(usual * 100)
    after = assess(ledger_of([*orders, (today, max(cents, 1))]), today, policy)
    assert after.state == "active"
    assert after.crossing_day is not None
    assert why.lift.safe_until_day >= today
    assert after.score == pytest.approx(why.lift.score_after, abs=3e-3)
    assert why.score_after_order == why.lift.score_after
    assert why.lift.score_after >= why.lift.score_after_least - 1e-12


@given(st.integers(1, 10), st.integers(1, 20))
def test_the_safe_days_are_those_of_the_rule(orders, gap):
    """With an order of exactly the usual amount, the client is safe until the promised day."""
    history = [(number * gap, 2_000) for number in range(orders + 1)]
    today = orders * gap + 160
    features = assess(ledger_of(history), today, Policy()).features
    assert features is not None
    lift = explain(features, today, Policy()).lift
    assert lift is not None
    after = ledger_of([*history, (today, 2_000)])
    assert assess(after, lift.safe_until_day, Policy()).state == "active"
    assert assess(after, lift.safe_until_day + 1, Policy()).state == "at_risk"


def test_nothing_less_than_an_order_lifts():
    """Without an order the score only falls: the day after is never better."""
    features = assess(ledger_of([(0, 3_000), (20, 3_000)]), 60, Policy()).features
    assert features is not None
    scores = [explain(features, day, Policy()).score for day in range(20, 300)]
    assert scores == sorted(scores, reverse=True)
