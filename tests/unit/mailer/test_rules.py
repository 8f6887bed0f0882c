"""Who is held out, what is held, and how long to wait."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clock import EPOCH
from common.score.policy import Policy
from mailer.episodes.rules import ATTEMPTS_MAX, beginning, in_holdout, wait_s

POLICY = Policy()
CROSSING = (date(2026, 3, 10) - EPOCH).days
SECOND = timedelta(seconds=1)


def begin(as_of, *, held_out=False, zone=UTC, tick=SECOND, policy=POLICY):
    """The state in which an episode begins that crossed on 2026-03-10."""
    return beginning(
        policy, held_out=held_out, crossing_day=CROSSING, as_of=as_of, zone=zone, tick=tick
    )[0]


def test_the_holdout_takes_its_share_and_sticks():
    """About the asked share of clients is drawn, the same ones each time."""
    drawn = [client for client in range(20_000) if in_holdout("salt", client, 10)]
    assert 0.09 < len(drawn) / 20_000 < 0.11
    assert drawn == [client for client in range(20_000) if in_holdout("salt", client, 10)]


def test_the_holdout_depends_on_the_salt():
    """Another salt draws other clients."""
    draws = [{c for c in range(2000) if in_holdout(salt, c, 10)} for salt in ("one", "two")]
    assert draws[0] != draws[1]


@given(st.integers(1, 2**63 - 1), st.floats(0, 50), st.floats(0, 50))
def test_a_larger_holdout_keeps_who_is_in_it(client, one, other):
    """Raising the share never lets a held-out client go."""
    if in_holdout("salt", client, min(one, other)):
        assert in_holdout("salt", client, max(one, other))


def test_no_holdout_draws_nobody():
    """A share of zero holds nobody out."""
    assert not any(in_holdout("salt", client, 0) for client in range(1000))


def test_a_fresh_crossing_is_pending():
    """A crossing within the last days is written about."""
    assert begin(datetime(2026, 3, 12, 23, tzinfo=UTC)) == "pending"


def test_an_old_crossing_is_held():
    """A crossing further back than the policy's days waits for a person."""
    assert begin(datetime(2026, 3, 13, tzinfo=UTC)) == "pending"
    assert begin(datetime(2026, 3, 13, 0, 0, 1, tzinfo=UTC)) == "held"


def test_the_crossing_begins_in_the_shops_zone():
    """The crossing day begins at the shop's midnight."""
    auckland = ZoneInfo("Pacific/Auckland")
    assert begin(datetime(2026, 3, 12, 11, 0, 1, tzinfo=UTC), zone=auckland) == "held"


def test_fast_ticks_never_hold():
    """A business clock so fast that a tick is a day holds nothing told within five ticks."""
    day = timedelta(days=1)
    assert begin(datetime(2026, 3, 15, tzinfo=UTC), tick=day) == "pending"
    assert begin(datetime(2026, 3, 15, 0, 0, 1, tzinfo=UTC), tick=day) == "held"


def test_holdout_comes_before_holding():
    """Who is held out is held out, however old the crossing."""
    assert begin(datetime(2027, 1, 1, tzinfo=UTC), held_out=True) == "held_out"


@pytest.mark.parametrize("attempt", range(1, ATTEMPTS_MAX + 1))
def test_waits_double_and_spread(attempt):
    """The wait doubles with each attempt, give or take a half."""
    assert wait_s(attempt, 2, 0, None) == 2**attempt / 2
    assert wait_s(attempt, 2, 1, None) == 2**attempt * 1.5


def test_the_wait_asked_for_is_kept_within_a_bound():
    """A wait that the model asks for is the least that is waited, up to a bound."""
    assert wait_s(1, 2, 0.5, 7) == 7
    assert wait_s(1, 2, 0.5, 10_000) == 300
    assert wait_s(5, 2, 0.5, 7) == 32
