"""The account of records in flight: commits follow what is settled, and a loss is noticed."""

import pytest
from aiokafka.structs import TopicPartition

from scorer.shims.flight import Flight, LostRecords, Run

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
