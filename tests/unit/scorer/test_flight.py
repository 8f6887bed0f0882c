"""The account of records in flight: commits follow what is settled, and a loss is noticed."""

from collections import deque

import pytest
from aiokafka.structs import TopicPartition

from scorer.shims.flight import Flight, LostRecords, Run
from scorer.shims.turns import (
    IN_FLIGHT_MAX,
    LATER_MAX,
    LATER_MAX_BESIDE_LIVE,
    LATER_SHARE,
    LATER_SHARE_RECORDS,
    LIVE_QUIET_S,
    Turns,
)
from scorer.ticks import Reach

TP = ("client.events", 3)


def test_commits_follow_the_last_settled_run_over_any_gap():
    """Markers and compaction leave gaps; the commit is the end of what is settled."""
    flight = Flight()
    for run in (Run(0, 0, 1), Run(7, 9, 2), Run(400, 499, 100)):
        flight.fetched(TP, run)
    assert flight.committable(TP) is None
    flight.settled(TP, 0)
    assert flight.committable(TP) == 1
    flight.settled(TP, 9)
    assert flight.committable(TP) == 10
    assert flight.oldest() == {TP: 400}
    assert flight.size == 100


def test_a_run_settled_out_of_turn_is_a_loss():
    """If the turn is another's, a run vanished on its way: nothing may be committed any more."""
    flight = Flight()
    flight.fetched(TP, Run(0, 4, 5))
    flight.fetched(TP, Run(5, 9, 5))
    with pytest.raises(LostRecords):
        flight.settled(TP, 9)
    with pytest.raises(LostRecords):
        flight.settled(("client.events", 0), 9)


def test_reach_tells_position_and_what_is_open():
    """A tick's barrier needs the position and the first offset not yet settled."""
    flight = Flight()
    flight.fetched(TP, Run(5, 9, 5))
    flight.publish({TopicPartition(*TP): 12})
    assert not flight.reach(TP).passed(12)
    flight.settled(TP, 9)
    assert flight.reach(TP).passed(12)
    assert not flight.reach(TP).passed(13)
    assert flight.reach(("client.events", 0)).position is None


def test_a_seek_begins_a_new_account():
    """After going back to the committed offsets the same runs come again, and are in turn."""
    flight = Flight()
    flight.fetched(TP, Run(5, 9, 5))
    flight.forget()
    assert (flight.size, flight.oldest(), flight.committable(TP)) == (0, {}, None)
    flight.fetched(TP, Run(5, 9, 5))
    flight.settled(TP, 9)
    assert (flight.size, flight.committable(TP)) == (0, 10)


class Fetcher:
    """Fetches as the shim does, from lanes that hold so many records."""

    def __init__(self) -> None:
        self.flight = Flight()
        self.now_s = 0.0
        self.turns = Turns(
            self.flight, ["control", "live", "backfill"], ["backfill"], lambda: self.now_s
        )
        self._offset = 0

    def fetch(self, **held: int) -> dict[str, int]:
        given = {}
        for topic, room in self.turns.next():
            count = min(room, held.get(topic, 0))
            if count:
                self.take(topic, count)
                given[topic] = count
        self.turns.seen(given)
        return given

    def take(self, topic: str, count: int) -> None:
        self.flight.fetched((topic, 0), Run(self._offset, self._offset + count - 1, count))
        self._offset += count

    def settle(self) -> None:
        for place in list(self.flight.oldest()):
            while place in self.flight.oldest():
                self.flight.settled(place, self.flight._open[place][0].last)


def test_live_goes_before_backfill_which_never_starves():
    """However much the live lane brings, one fetch in so many takes a share of the backfill."""
    fetcher = Fetcher()
    shares = []
    for _ in range(LATER_SHARE * 3):
        given = fetcher.fetch(control=4, live=10**6, backfill=10**6)
        assert given["control"] == 4
        assert given["live"] > IN_FLIGHT_MAX / 2
        shares.append(given.get("backfill", 0))
        fetcher.settle()
    assert shares == [0, 0, 0, LATER_SHARE_RECORDS] * 3


def test_a_full_live_lane_does_not_shut_out_the_others():
    """Control goes first as soon as there is room, and the backfill has a room of its own."""
    fetcher = Fetcher()
    fetcher.take("live", IN_FLIGHT_MAX)
    assert fetcher.turns.open() == ["backfill"]
    fetcher.settle()
    assert fetcher.turns.open() == ["control", "live", "backfill"]


def test_the_backfill_keeps_its_distance_while_live_records_come():
    """Beside live records little of the backfill is in flight; when they are quiet, more is."""
    fetcher = Fetcher()
    assert fetcher.fetch(live=3, backfill=10**6) == {"live": 3, "backfill": LATER_MAX_BESIDE_LIVE}
    assert fetcher.fetch(backfill=10**6) == {}
    fetcher.now_s += LIVE_QUIET_S + 1
    assert fetcher.fetch(backfill=10**6) == {"backfill": LATER_MAX - LATER_MAX_BESIDE_LIVE}
    fetcher.settle()
    assert fetcher.fetch(live=3, backfill=10**6)["backfill"] == LATER_MAX
    fetcher.settle()
    assert fetcher.fetch(backfill=10**6) == {"backfill": LATER_MAX_BESIDE_LIVE}


class Emptied(deque[Run]):
    """Runs whose last one is settled just after somebody has seen that there is one."""

    def __bool__(self) -> bool:
        return True


def test_whoever_looks_from_another_thread_finds_no_run_that_was_just_settled():
    """Prometheus asks while the main loop settles."""
    flight = Flight()
    flight._open[TP] = Emptied()

    assert flight.reach(TP) == Reach(None, None)
    assert flight.oldest() == {}
