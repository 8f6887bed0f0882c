"""The order ledger of one client: a merge by version that forgets the order of arrival.

The ledger is a last-writer-wins map per order (a state-based CRDT): merging is commutative,
associative and idempotent, so duplicates, shuffles and replays all give the same ledger.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

MERGED_KEPT = 32
"""How many of the newest merged (entity, version) pairs a ledger names."""

COUNTING_STATUSES = frozenset({"placed", "paid", "shipped", "delivered"})
"""An order in one of these statuses counts, if its amount is above zero."""


class Entry(NamedTuple):
    """The newest image of one order, or of its removal (then day and cents mean nothing)."""

    version: int
    removed: bool
    day: int
    """Days since 1970-01-01 in the shop's time zone."""
    cents: int
    """Net amount in hundredths of the shop's currency."""
    counts: bool
    """Whether status and amount let the order count, once its day has come."""


class Ledger(msgspec.Struct, array_like=True):
    """All that the scorer knows of one client. Mutated in place by the ``merge_*`` methods."""

    orders: dict[int, Entry] = {}
    erased_version: int = 0
    version: int = 0
    merged: list[tuple[str, int]] = []
    client_version: int = 0
    """The newest image of the client's own row, if any came since it was erased."""

    def merge_order(self, order_id: int, entry: Entry) -> bool:
        """Merge one image of an order; return whether the image was news.

        The higher version wins; a removal wins a tie, since a delete carries the version of the
        row image that it deletes. A stale image is noted all the same: its writer may be waiting.
        """
        if entry.version <= self.erased_version:
            return False
        known = self.orders.get(order_id)
        newer = known is None or (known.version, known.removed) < (entry.version, entry.removed)
        if newer:
            self.orders[order_id] = entry
        return self._note(f"order/{order_id}", entry.version) or newer

    def merge_client(self, version: int) -> bool:
        """Note one image of the client's own row; return whether it was news."""
        if version <= self.erased_version:
            return False
        self.client_version = max(self.client_version, version)
        return self._note("client", version)

    def erase(self, version: int) -> bool:
        """Forget every image up to ``version``; later ones belong to a re-created client."""
        if version <= self.erased_version:
            return False
        self.erased_version = version
        self.orders = {i: e for i, e in self.orders.items() if e.version > version}
        self.merged = [m for m in self.merged if m[1] > version]
        if self.client_version <= version:
            self.client_version = 0
        self.version = max(self.version, version)
        return True

    @property
    def erased(self) -> bool:
        """Whether the client was erased and not created again since.

        The removal of an order may carry a higher version than the erasure, where a writer changed
        the order while the client was being erased: that alone brings nobody back.
        """
        return (
            self.erased_version > 0
            and self.client_version == 0
            and all(entry.removed for entry in self.orders.values())
        )

    def _note(self, entity: str, version: int) -> bool:
        if (entity, version) in self.merged:
            return False
        self.version = max(self.version, version)
        noted = [(v, e) for e, v in self.merged]
        noted.append((version, entity))
        kept = [(e, v) for v, e in sorted(noted)[-MERGED_KEPT:]]
        news = kept != self.merged
        self.merged = kept
        return news


class OrderDay(NamedTuple):
    """All counted orders of one calendar day."""

    day: int
    cents: int
    orders: tuple[tuple[int, int], ...]
    """(order id, version) of each, by id: the evidence."""


def order_days(ledger: Ledger, today: int, ahead_days: int) -> list[OrderDay]:
    """Return the counted order-days of a ledger as of ``today``, oldest first.

    Orders dated more than ``ahead_days`` ahead wait until their day.
    """
    horizon = today + ahead_days
    days: dict[int, list[tuple[int, int, int]]] = {}
    for order_id, entry in ledger.orders.items():
        if entry.counts and not entry.removed and entry.day <= horizon:
            days.setdefault(entry.day, []).append((order_id, entry.version, entry.cents))
    return [
        OrderDay(
            day,
            sum(cents for _, _, cents in orders),
            tuple((order_id, version) for order_id, version, _ in sorted(orders)),
        )
        for day, orders in sorted(days.items())
    ]


def next_maturity(ledger: Ledger, today: int, ahead_days: int) -> int | None:
    """Return the day on which the next waiting order begins to count, if one waits."""
    horizon = today + ahead_days
    waiting = (
        entry.day - ahead_days
        for entry in ledger.orders.values()
        if entry.counts and not entry.removed and entry.day > horizon
    )
    return min(waiting, default=None)


def counts(status: str, cents: int) -> bool:
    """Whether an order of this status and amount counts as engagement at all."""
    return cents > 0 and status in COUNTING_STATUSES


def entry_of_order(version: int, day: int, cents: int, status: str) -> Entry:
    """Build the ledger entry of an order's row image."""
    return Entry(version, removed=False, day=day, cents=cents, counts=counts(status, cents))


def entry_of_removal(version: int) -> Entry:
    """Build the ledger entry of a deleted or moved-away order."""
    return Entry(version, removed=True, day=0, cents=0, counts=False)


def ledger_of(orders: Iterable[tuple[int, Entry]]) -> Ledger:
    """Build a ledger from (order id, entry) pairs in any order."""
    ledger = Ledger()
    for order_id, entry in orders:
        ledger.merge_order(order_id, entry)
    return ledger
