"""How far behind a reader says it is: only of what it is reading at the moment."""

from types import SimpleNamespace

import pytest
from faust.types import TP

from common.topics import CONTROL, LIVE
from scorer.shims.flight import Flight
from scorer.shims.reading import RunConsumer
from scorer.shims.turns import Turns

ONE, TWO = TP(LIVE.name, 0), TP(LIVE.name, 1)


@pytest.fixture
def reader() -> RunConsumer:
    """A reader of two partitions that has come to offsets 90 and 40 of 100; it has no broker."""
    reader = RunConsumer.__new__(RunConsumer)
    reader.app = SimpleNamespace(in_recovery=False)
    reader._active_partitions, reader._paused_partitions = set(), set()
    reader._buffered_partitions = set()
    reader.flight = Flight()
    reader.turns = Turns(reader.flight, [CONTROL.name, LIVE.name], [])
    reader.resume_partitions({ONE, TWO})
    reader.flight.publish({ONE: 90, TWO: 40})
    reader.ends = {ONE: 100, TWO: 100}
    return reader


def test_the_lag_is_what_lies_between_reading_and_the_ends(reader):
    """An end that is not known yet is none."""
    assert reader.lag() == 10 + 60
    reader.ends = {ONE: 100, TWO: None}
    assert reader.lag() == 10


def test_a_reader_that_lost_its_partitions_is_behind_with_none(reader):
    """Faust pauses them before it gives them up, and nothing is fetched that would say so."""
    reader.pause_partitions({ONE, TWO})
    assert reader.lag() is None


def test_a_partition_that_waits_for_room_is_behind_all_the_same(reader):
    """Nothing is fetched of it while its buffer is full, which is when the lag grows."""
    reader.on_buffer_full(ONE)
    assert reader.lag() == 10 + 60
    reader.on_buffer_drop(ONE)
    assert reader.lag() == 10 + 60


def test_before_the_first_fetch_nothing_is_known(reader):
    """Sent back to its committed offsets, it is not behind by the whole log."""
    reader.flight.forget()
    assert reader.lag() is None
    reader.flight.publish({ONE: 95, TWO: None})
    assert reader.lag() == 5
