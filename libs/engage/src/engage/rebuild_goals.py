"""How far a generation has to read before it may take over, and how far it has come."""

from collections.abc import Mapping

from common.topics import BACKFILL, CONTROL, LIVE
from engage.broker import Broker, Offsets

SOURCES = (LIVE.name, BACKFILL.name, CONTROL.name)
TAIL = 64
"""Offsets before an end in which its last record is looked for first."""
WIDER = 64


def goals(broker: Broker) -> Offsets:
    """Return the offset after the last record of each partition, as committed groups reach it.

    An end also counts the markers of transactions, which nobody ever commits. Partitions without a
    record are left out. Raises Transient.
    """
    begins, ends = broker.begins(SOURCES), broker.ends(SOURCES)
    found: Offsets = {}
    left = {place for place, end in ends.items() if end > begins[place]}
    tail = TAIL
    while left:
        starts = {place: max(begins[place], ends[place] - tail) for place in left}
        for message in broker.read(starts, ends):
            place = (message.topic() or "", message.partition() or 0)
            found[place] = (message.offset() or 0) + 1
        left = {place for place in left - found.keys() if starts[place] > begins[place]}
        tail *= WIDER
    return found


def remaining(goal: Offsets, committed: Mapping[tuple[str, int], int], begins: Offsets) -> Offsets:
    """Return how many offsets each partition has still to go; those that are there are left out."""
    behind = {
        place: end - max(begins.get(place, 0), committed.get(place, 0))
        for place, end in goal.items()
    }
    return {place: count for place, count in behind.items() if count > 0}
