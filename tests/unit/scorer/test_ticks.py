"""The gate: a tick waits for its ends, the future is parked, the past is ignored."""

from datetime import UTC, datetime, timedelta

import pytest

from common.clock import Anchor
from common.events import Tick
from scorer.ticks import TOLERANCE_S, Gate, Reach, business_time_of

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
FREE = Reach(position=1_000, first_open=None)


def tick(seconds: float = 0, live: int = 0, backfill: int = 0) -> Tick:
    return Tick(
        partition=0,
        as_of=NOON + timedelta(seconds=seconds),
        live_end=live,
        backfill_end=backfill,
    )


@pytest.mark.parametrize(
    ("reach", "passed"),
    [
        (Reach(10, None), True),
        (Reach(11, 10), True),
        (Reach(9, None), False),
        (Reach(10, 9), False),
        (Reach(None, None), False),
    ],
    ids=["all merged", "open beyond", "not fetched", "fetched but open", "unknown"],
)
def test_a_lane_has_passed_when_all_below_the_end_is_merged(reach, passed):
    """The position must have reached the end and nothing below it may be open."""
    assert reach.passed(10) is passed


def test_an_empty_lane_has_passed_at_once():
    """A lane without records ends at 0, which position 0 reaches."""
    assert Reach(0, None).passed(0)


def test_both_lanes_must_pass():
    """A tick waits for the slower lane."""
    gate = Gate()
    gate.offer(tick(live=5, backfill=5), NOON, 1.0)
    assert gate.passed(FREE, Reach(4, None)) is None
    assert gate.passed(Reach(4, None), FREE) is None
    assert gate.passed(FREE, FREE) == tick(live=5, backfill=5)


def test_newer_ticks_only_knock_while_one_is_in_hand():
    """Under load the ends run ahead; the tick in hand keeps its own."""
    gate = Gate()
    assert gate.offer(tick(0, live=5), NOON, 1.0) == "kept"
    assert gate.offer(tick(1, live=500), NOON + timedelta(seconds=1), 1.0) == "waiting"
    assert gate.passed(Reach(5, None), FREE) == tick(0, live=5)


def test_ticks_not_after_the_last_one_acted_on_are_ignored():
    """A clock that went back opens nothing twice."""
    gate = Gate()
    gate.offer(tick(10), NOON + timedelta(seconds=10), 1.0)
    gate.done()
    assert gate.offer(tick(10), NOON + timedelta(seconds=20), 1.0) == "old"
    assert gate.offer(tick(3), NOON + timedelta(seconds=20), 1.0) == "old"
    assert gate.offer(tick(11), NOON + timedelta(seconds=20), 1.0) == "kept"


def test_a_tick_from_the_future_is_parked_until_a_sound_one_comes():
    """A host whose clock jumped a day ahead opens nothing; a sound tick clears the red."""
    gate = Gate()
    assert gate.offer(tick(86_400), NOON, 1.0) == "parked"
    assert gate.parked is not None
    assert gate.in_hand is None
    assert gate.offer(tick(1), NOON + timedelta(seconds=1), 1.0) == "kept"
    assert gate.parked is None


@pytest.mark.parametrize("rate", [1.0, 86_400.0])
def test_the_tolerance_is_of_the_wall_clock(rate):
    """Fast business time makes the same skew of two hosts look larger: it is still let by."""
    ahead = TOLERANCE_S * rate
    assert Gate().offer(tick(ahead), NOON, rate) == "kept"
    assert Gate().offer(tick(ahead + rate), NOON, rate) == "parked"


def test_after_a_snapshot_the_next_tick_is_passed_over():
    """Its ends may have been read before the snapshot's last events were written."""
    gate = Gate()
    gate.offer(tick(0, live=5), NOON, 1.0)
    gate.restart()
    assert gate.passed(FREE, FREE) is None
    assert gate.offer(tick(1), NOON + timedelta(seconds=1), 1.0) == "waiting"
    assert gate.offer(tick(2), NOON + timedelta(seconds=2), 1.0) == "kept"


def test_a_gate_without_a_tick_has_nothing_to_finish():
    """Finishing what was never begun is a bug, not a no-op."""
    with pytest.raises(ValueError, match="no tick"):
        Gate().done()


def test_broker_time_becomes_business_time():
    """The broker's milliseconds pass through the shared anchor."""
    anchor = Anchor(NOON, NOON + timedelta(days=100), 10.0)
    stamped = int((NOON + timedelta(seconds=6)).timestamp() * 1000)
    assert business_time_of(stamped, anchor) == NOON + timedelta(days=100, minutes=1)
