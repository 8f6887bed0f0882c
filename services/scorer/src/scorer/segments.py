"""Pure: a very long ledger in segments by order id, so that one event rewrites one of them.

The leaves of a B-tree, with the directory in the client's head row: a segment is split when it is
full, and where orders come in the order of their ids the last one is left full.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

import msgspec

from scorer.dayindex import DayIndex
from scorer.orders import ById, Columns

SEGMENT_ORDERS_MAX = 256


encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ById).decode


class Segments:
    """The orders of one long ledger, decoded, and what of them is to be written."""

    def __init__(self, segments: dict[int, ById]) -> None:
        """Take over segments by number; their id ranges must not overlap."""
        self._of = segments
        self._numbers = sorted(segments, key=lambda number: segments[number].ids[0])
        self._firsts = [segments[number].ids[0] for number in self._numbers]
        self._dirty: set[int] = set()
        self.index = DayIndex(
            pair
            for segment in segments.values()
            for pair in zip(segment.days, segment.cents, strict=True)
        )

    @classmethod
    def cut(cls, orders: Columns) -> "Segments":
        """Cut a ledger that has grown long into segments, all of them to be written."""
        by_id = ById()
        by_id.extend(orders)
        by_id.sort(by_id.ids)
        size = SEGMENT_ORDERS_MAX
        starts = range(0, len(by_id.ids), size)
        made = cls({n: by_id.part(begin, begin + size) for n, begin in enumerate(starts)})
        made._dirty.update(made._of)
        return made

    @classmethod
    def load(cls, directory: Sequence[int], read: Callable[[int], bytes | None]) -> "Segments":
        """Read the segments that a directory names; raises LookupError when one is missing."""
        segments: dict[int, ById] = {}
        for number in directory[::3]:
            stored = read(number)
            if stored is None:
                raise LookupError(f"segment {number} of a long ledger is missing")
            segments[number] = _decode(stored)
        return cls(segments)

    def directory(self) -> list[int]:
        """Return number, first order id and number of orders of each segment, in turn."""
        return [
            figure
            for number, first in zip(self._numbers, self._firsts, strict=True)
            for figure in (number, first, len(self._of[number].ids))
        ]

    def numbers(self) -> set[int]:
        """Return the numbers of all segments."""
        return set(self._of)

    def merge(self, order_id: int, stamp: int, day: int, cents: int) -> bool:
        """Merge one image of an order; return whether it was newer than the known one."""
        i = max(bisect_right(self._firsts, order_id) - 1, 0)
        number = self._numbers[i]
        segment = self._of[number]
        newer, before = segment.merge(order_id, stamp, day, cents)
        if not newer:
            return False
        if before is not None:
            self.index.remove(*before)
        self.index.add(day, cents)
        self._firsts[i] = segment.ids[0]
        if len(segment.ids) > SEGMENT_ORDERS_MAX:
            self._split(i, order_id)
        else:
            self._dirty.add(number)
        return True

    def orders(self) -> Iterator[ById]:
        """Iterate over the segments in the order of their ids."""
        return (self._of[number] for number in self._numbers)

    def taken(self) -> dict[int, bytes]:
        """Return the segments that changed since they were last taken, encoded."""
        changed = {number: encode(self._of[number]) for number in sorted(self._dirty)}
        self._dirty.clear()
        return changed

    def _split(self, i: int, newest: int) -> None:
        number, new = self._numbers[i], max(self._numbers) + 1
        segment = self._of[number]
        size = len(segment.ids)
        grows = i == len(self._numbers) - 1 and segment.ids[-1] == newest
        if not grows:
            self._dirty.add(number)
        at = size - 1 if grows else size // 2
        self._of[number], self._of[new] = segment.part(0, at), segment.part(at, size)
        self._numbers.insert(i + 1, new)
        self._firsts.insert(i + 1, self._of[new].ids[0])
        self._dirty.add(new)
