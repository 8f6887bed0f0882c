"""Pure: orders in columns, as they are stored: by day in a head row, by id in a segment."""

from bisect import bisect_left, bisect_right

import msgspec

NEVER = -1_000_000
"""The day of an order that does not count, before any day that a calendar has."""


class Columns(msgspec.Struct, array_like=True, gc=False):
    """Orders in columns of the same length."""

    ids: list[int] = []
    stamps: list[int] = []
    """``version * 2``, and one more for a removal: the greater one wins."""
    days: list[int] = []
    """Days since 1970-01-01 in the shop's time zone; NEVER for orders that do not count."""
    cents: list[int] = []
    """Net amounts; 0 for orders that do not count, and for removals."""

    def extend(self, other: "Columns", above: int = 0) -> None:
        """Append the orders of ``other`` whose stamp is above ``above``."""
        kept = [i for i, stamp in enumerate(other.stamps) if stamp > above]
        self.ids += [other.ids[i] for i in kept]
        self.stamps += [other.stamps[i] for i in kept]
        self.days += [other.days[i] for i in kept]
        self.cents += [other.cents[i] for i in kept]

    def sort(self, column: list[int]) -> None:
        """Sort the orders by one of the columns, then by id."""
        lines = sorted(zip(column, self.ids, self.stamps, self.days, self.cents, strict=True))
        _, ids, stamps, days, cents = zip(*lines, strict=True) if lines else ((),) * 5
        self.ids, self.stamps = list(ids), list(stamps)
        self.days, self.cents = list(days), list(cents)


class ByDay(Columns, array_like=True, gc=False):
    """Few orders, by day and then by id: their features are found in one walk."""

    def merge(self, order_id: int, stamp: int, day: int, cents: int) -> bool:
        """Merge one image of an order; return whether it was newer than the known one."""
        ids, days = self.ids, self.days
        if order_id in ids:
            i = ids.index(order_id)
            if self.stamps[i] >= stamp:
                return False
            if days[i] == day:
                self.stamps[i], self.cents[i] = stamp, cents
                return True
            del ids[i], self.stamps[i], days[i], self.cents[i]
        i = bisect_right(days, day)
        while i and days[i - 1] == day and ids[i - 1] > order_id:
            i -= 1
        ids.insert(i, order_id)
        self.stamps.insert(i, stamp)
        days.insert(i, day)
        self.cents.insert(i, cents)
        return True


class ById(Columns, array_like=True, gc=False):
    """The orders of one segment of a long ledger, by id."""

    def merge(
        self, order_id: int, stamp: int, day: int, cents: int
    ) -> tuple[bool, tuple[int, int] | None]:
        """Merge one image of an order.

        Returns whether it was newer, and the (day, cents) that it replaced, if any.
        """
        ids = self.ids
        i = bisect_left(ids, order_id)
        if i == len(ids) or ids[i] != order_id:
            ids.insert(i, order_id)
            self.stamps.insert(i, stamp)
            self.days.insert(i, day)
            self.cents.insert(i, cents)
            return True, None
        if self.stamps[i] >= stamp:
            return False, None
        before = self.days[i], self.cents[i]
        self.stamps[i], self.days[i], self.cents[i] = stamp, day, cents
        return True, before

    def part(self, begin: int, end: int) -> "ById":
        """Return a copy of the orders at some places."""
        return ById(
            self.ids[begin:end],
            self.stamps[begin:end],
            self.days[begin:end],
            self.cents[begin:end],
        )
