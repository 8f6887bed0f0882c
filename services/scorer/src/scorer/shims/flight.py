"""Which records are in flight: fetched, and not yet durably worked into the state.

The hole: Faust commits by gap bookkeeping (``Consumer._add_gap``, ``_new_offset``). A gap that it
notes includes the offset of the message still in flight; a gap behind offset 0 is not noted at all,
and commits of that partition then stop for ever without a word; transaction markers make gaps
everywhere. And where a record is dropped on the way to the agent (recovery, #596), nothing notices.

So we keep our own account: every run of records is noted, in the consumer's thread, as it leaves
the fetcher, and must be settled in that very order. What is committed is the end of the last
settled run, whatever lies between the offsets. A run that is settled out of turn means that one
before it was lost: that is an error, and the process ends without committing.
"""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aiokafka.structs import TopicPartition  # type: ignore[import-untyped]

from scorer.ticks import Reach


class LostRecords(Exception):
    """Records were fetched and never reached the agent."""


class Run(NamedTuple):
    """The first and last offset of records that belong together, and their number."""

    first: int
    last: int
    size: int


class Flight:
    """The account of one consumer. ``fetched`` runs in its thread, the rest on the main loop."""

    def __init__(self) -> None:
        """Begin with nothing in flight."""
        self._open: dict[tuple[str, int], deque[Run]] = {}
        self._settled: dict[tuple[str, int], int] = {}
        self._positions: Mapping[TopicPartition, int | None] = {}
        # Each of the two is written by one thread only.
        self._fetched: Counter[str] = Counter()
        self._settled_of: Counter[str] = Counter()

    @property
    def size(self) -> int:
        """Number of records in flight."""
        return sum(self.size_of(topic) for topic in list(self._fetched))

    def size_of(self, topic: str) -> int:
        """Return the number of a topic's records in flight."""
        return self._fetched[topic] - self._settled_of[topic]

    def fetched(self, tp: tuple[str, int], run: Run) -> None:
        """Note a run as it leaves the fetcher."""
        self._fetched[tp[0]] += run.size
        self._open.setdefault(tp, deque()).append(run)

    def publish(self, positions: Mapping[TopicPartition, int | None]) -> None:
        """Note the consumer's positions, after all that lies before them has been noted."""
        self._positions = positions

    def settled(self, tp: tuple[str, int], last: int) -> None:
        """Note that the run ending at ``last`` is durable; raises LostRecords when out of turn."""
        waiting = self._open.get(tp)
        if not waiting or waiting[0].last != last:
            turn = waiting[0] if waiting else None
            raise LostRecords(f"{tp}: the run up to {last} was settled, the turn is {turn}")
        run = waiting.popleft()
        self._settled_of[tp[0]] += run.size
        self._settled[tp] = run.last + 1

    def committable(self, tp: tuple[str, int]) -> int | None:
        """Return the next offset to read after the last settled run; None before the first."""
        return self._settled.get(tp)

    def reach(self, tp: tuple[str, int]) -> Reach:
        """Return how far a partition has come; the position is read before what is open."""
        position = self._positions.get(TopicPartition(*tp))
        return Reach(position, _first(self._open.get(tp)))

    def oldest(self) -> dict[tuple[str, int], int]:
        """Return the first offset in flight of each partition that has one."""
        firsts = {tp: _first(runs) for tp, runs in list(self._open.items())}
        return {tp: first for tp, first in firsts.items() if first is not None}

    def forget(self) -> None:
        """Drop everything: the consumer was sent back to its committed offsets."""
        self._open, self._settled, self._positions = {}, {}, {}
        self._settled_of = Counter(self._fetched)


def _first(runs: Sequence[Run] | None) -> int | None:
    """Return the first offset of open runs, of which the other thread may settle the last one."""
    try:
        return runs[0].first if runs else None
    except IndexError:
        return None
