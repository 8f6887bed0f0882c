"""Waiting until readers have passed what was written: bounded, and told as progress."""

import time

from common.errors import Transient
from engage.broker import Broker, Offsets
from engage.frame import Failed
from engage.lag import generation_of
from engage.progress import Watcher
from engage.rebuild_generation import current

POLL_S = 0.5
LOOKED_AT_MAX = 500
STALL_LIMIT_S = 90.0
"""A group that does not move for so long is not going to arrive by waiting."""


def scorers(broker: Broker) -> list[str]:
    """Return the groups of scorers that read and have members; raises Failed without any.

    One of a superseded generation keeps its group and reads nothing more.
    """
    speaking = current(broker)
    found = [
        name
        for name, group in broker.groups().items()
        if (generation := generation_of(name)) is not None
        and generation >= speaking
        and group.members
    ]
    if not found:
        raise Failed("what was sent lies on the backfill lane, but no scorer reads it")
    return sorted(found)


def until_passed(broker: Broker, group: str, ends: Offsets, watcher: Watcher) -> None:
    """Wait until a group has committed all of ``ends``; raises Failed when it stands still."""
    total = _left(broker, group, ends)
    if not total:
        return
    watcher.step(f"{group} takes it", total)
    left, moved = total, time.monotonic()
    while left:
        if time.monotonic() - moved > STALL_LIMIT_S:
            raise Failed(f"{group} has not moved for {STALL_LIMIT_S:.0f} s, {left} records before")
        time.sleep(POLL_S)
        watcher.advance(0)  # it may break the waiting off
        try:
            now = _left(broker, group, ends)
        except Transient:  # a coordinator that moves: the limit above bounds it
            continue
        if now < left:
            watcher.advance(left - now)
            left, moved = now, time.monotonic()


def _left(broker: Broker, group: str, ends: Offsets) -> int:
    """Return how much lies before the ends; few offsets are looked at, for some are no records.

    A group commits the offset after its last record, and a transaction's marker comes behind that.
    """
    committed = broker.committed(group)
    starts = {place: committed.get(place, 0) for place in ends}
    left = sum(max(0, end - starts[place]) for place, end in ends.items())
    return sum(1 for _ in broker.read(starts, ends)) if 0 < left <= LOOKED_AT_MAX else left
