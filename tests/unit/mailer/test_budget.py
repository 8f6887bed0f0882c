"""Budgets hold in every minute, whatever calls were made when, and tell the time they wait for."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mailer.model.budget import (
    GRANT_S,
    MINUTE_S,
    NO_LIMIT,
    TRAVEL_S,
    WINDOW_S,
    Limits,
    Need,
    Past,
    Spent,
    day_left,
    minute_left,
    need_of,
)
from mailer.model.listing import Price

NEED = Need(100, Decimal(0))
delays = st.floats(0, GRANT_S + TRAVEL_S)


@given(
    st.integers(1, 6),
    st.lists(st.tuples(st.floats(0, 30), delays), max_size=40),
)
def test_no_minute_has_more_requests_than_the_limit(limit, attempts):
    """Calls that are made when they are granted, or a little later, never exceed any minute."""
    now, granted, arrived = 0.0, [], []
    for pause, delay in attempts:
        now += pause
        calls = [Past(now - at, 1) for at in granted if now - at < WINDOW_S]
        if not isinstance(minute_left(Limits(limit), calls, NEED), Spent):
            granted.append(now)
            arrived.append(now + delay)
    arrived.sort()
    for first, beyond in zip(arrived, arrived[limit:], strict=False):
        assert beyond - first >= MINUTE_S - 1e-6


@given(
    st.integers(1, 10),
    st.integers(100, 1_000),
    st.lists(st.builds(Past, st.floats(0, WINDOW_S), st.integers(0, 400)), max_size=20),
)
def test_after_the_wait_a_call_fits(requests, tokens, calls):
    """The wait that is told is long enough, and no call fits before."""
    limits = Limits(requests, tokens)
    left = minute_left(limits, calls, NEED)
    if not isinstance(left, Spent):
        assert 1 <= left <= requests
        assert sum(c.tokens for c in calls) + left * NEED.tokens <= tokens
        return
    after = [c for c in calls if c.age_s + left.wait_s < WINDOW_S - 1e-6]
    assert not isinstance(minute_left(limits, after, NEED), Spent)
    before = [c for c in calls if c.age_s + left.wait_s < WINDOW_S + 1e-6]
    assert isinstance(minute_left(limits, before, NEED), Spent)


def test_a_call_that_never_fits_is_told():
    """One that may need more than the whole budget is everybody's trouble, not a short wait."""
    left = minute_left(Limits(tokens_per_minute=99), [], NEED)
    assert isinstance(left, Spent)
    assert left.lasting


def test_without_limits_there_is_room():
    """No limit, no count."""
    assert minute_left(Limits(), [Past(0, 10**9)] * 3, NEED) == NO_LIMIT
    assert not Limits().any
    assert Limits(cost_per_day_usd=Decimal(1)).any


@given(st.decimals(0, 20, places=6), st.decimals("0.000001", 1, places=6))
def test_a_day_never_costs_more_than_its_limit(spent, usd):
    """What still fits into the day is what the limit leaves, in whole calls."""
    limit = Decimal(10)
    left = day_left(limit, spent, Need(1, usd), 60.0)
    if isinstance(left, Spent):
        assert spent + usd > limit
        assert (left.wait_s, left.lasting) == (60.0, True)
    else:
        assert spent + left * usd <= limit


def test_a_need_is_above_what_a_call_uses():
    """A call reserves its prompt, generously counted, and the longest answer, at the full price."""
    messages = ({"role": "user", "content": "word " * 300},)
    need = need_of(messages, 800, Price(0.001, 0.002, 0.5))
    assert need.tokens >= 300 + 800
    assert need.usd >= Decimal("0.5") + 300 * Decimal("0.001") + 800 * Decimal("0.002")
    assert need_of(messages, 800, None).usd == 0
