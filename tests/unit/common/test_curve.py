"""The score curve is nothing but the score of each day."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.score.curve import curve
from common.score.ledger import Ledger, entry_of_order
from common.score.model import assess
from common.score.policy import Policy

ORDERS = st.lists(
    st.tuples(
        st.integers(-400, 260),
        st.integers(-500, 20_000),
        st.sampled_from(["placed", "paid", "delivered", "cancelled", "refunded"]),
    ),
    max_size=12,
)


def _ledger(orders: list[tuple[int, int, str]]) -> Ledger:
    ledger = Ledger()
    for order_id, (day, cents, status) in enumerate(orders, 1):
        ledger.merge_order(order_id, entry_of_order(order_id, day, cents, status))
    return ledger


@settings(max_examples=60)
@given(
    orders=ORDERS,
    first=st.integers(-300, 200),
    length=st.integers(0, 120),
    ahead=st.integers(0, 30),
    theta=st.floats(0.1, 0.9),
)
def test_every_point_is_what_the_score_says_of_that_day(
    orders: list[tuple[int, int, str]], first: int, length: int, ahead: int, theta: float
) -> None:
    """Whatever the ledger, the range and the policy: score and state of each day."""
    ledger, policy = _ledger(orders), Policy(ahead_days=ahead, theta=theta)
    points = curve(ledger, first, first + length, policy)
    assert [point.day for point in points] == list(range(first, first + length + 1))
    for point in points:
        found = assess(ledger, point.day, policy)
        assert point.state == found.state
        assert point.score == (found.score and pytest.approx(found.score, abs=1e-12))


def test_a_curve_crosses_on_the_crossing_day_and_lapses_on_the_lapse_day() -> None:
    """The future shows when a silent client falls at risk, and when it is given up."""
    policy = Policy()
    ledger = _ledger([(0, 5000, "paid"), (20, 5000, "paid"), (40, 5000, "paid")])
    today = assess(ledger, 41, policy)
    assert today.state == "active"
    states = {point.day: point.state for point in curve(ledger, 41, 400, policy)}
    assert today.crossing_day is not None
    assert today.lapse_day is not None
    assert (states[today.crossing_day - 1], states[today.crossing_day]) == ("active", "at_risk")
    assert (states[today.lapse_day - 1], states[today.lapse_day]) == ("at_risk", "lapsed")
