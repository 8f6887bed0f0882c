"""Pure: the whole history of a shop as flat columns, and its merge by version, with numpy.

The same last-writer-wins merge as ``common.score.ledger``, for millions of clients at once: a
Python object per order would take tens of gigabytes where columns take one.
"""

from array import array
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from common.score.sweep import Ints

WIDTH = 6
"""Numbers of one image: client, order, version, kind, day, cents."""

CLIENT_IMAGE, ERASURE = 0, -1
"""What stands in the order's place where the client itself is meant; order ids begin at 1."""

PLAIN, COUNTING, REMOVED = 0, 1, 2
"""The kinds of an image: one that never counts, an order that does, a removal."""

FOLD_EVERY = 2_000_000
"""Images taken in before they are merged: bounds what duplicates and updates cost in memory."""


class OrderDays(NamedTuple):
    """Counting order-days of all living clients, sorted by (owner, day): one entry each."""

    owner: Ints
    """Index into ``History.clients``."""
    day: Ints
    cents: Ints


class History(NamedTuple):
    """What the lanes say in the end: the clients that there are, and the days they ordered on."""

    clients: Ints
    """Ids, ascending; a client without orders is among them, an erased one is not."""
    days: OrderDays


class Journal:
    """Takes images in any order, any number of times; gives the history that they amount to."""

    def __init__(self) -> None:
        """Begin empty."""
        self._fresh = array("q")
        self._folded = np.empty((0, WIDTH), np.int64)

    def order(
        self, client_id: int, order_id: int, version: int, *, day: int, cents: int, counts: bool
    ) -> None:
        """Take an order's row image; ``day`` since 1970-01-01 in the shop's zone."""
        kind = COUNTING if counts else PLAIN
        self._fresh.extend((client_id, order_id, version, kind, day, cents))

    def removal(self, client_id: int, order_id: int, version: int) -> None:
        """Take the removal of an order; it wins over an image of the same version."""
        self._fresh.extend((client_id, order_id, version, REMOVED, 0, 0))

    def client(self, client_id: int, version: int) -> None:
        """Take an image of the client's own row."""
        self._fresh.extend((client_id, CLIENT_IMAGE, version, PLAIN, 0, 0))

    def erasure(self, client_id: int, version: int) -> None:
        """Take the erasure of a client: every image up to ``version`` is void."""
        self._fresh.extend((client_id, ERASURE, version, PLAIN, 0, 0))

    def fold_when_long(self) -> None:
        """Merge what was taken in, if that is much: to be called now and then."""
        if len(self._fresh) >= FOLD_EVERY * WIDTH:
            self._fold()

    def clients(self) -> Ints:
        """Return the ids of all clients named so far, ascending."""
        self._fold()
        return np.unique(self._folded[:, 0])

    def history(self, *, without: Iterable[int] = ()) -> History:
        """Return what all images taken amount to, leaving out the clients named."""
        self._fold()
        rows = self._folded
        left_out = np.fromiter(without, np.int64)
        if left_out.size:
            rows = rows[~np.isin(rows[:, 0], left_out)]
        return _history(rows)

    def _fold(self) -> None:
        """Keep the newest image of each (client, order), sorted by them."""
        if not self._fresh:
            return
        fresh = np.frombuffer(self._fresh, np.int64).reshape(-1, WIDTH)
        rows = np.concatenate((self._folded, fresh))
        del fresh  # an array cannot be replaced while its memory is lent
        self._fresh = array("q")
        client, order, version, kind = (rows[:, i] for i in range(4))
        # A removal carries the version of the image that it deletes, and wins the tie.
        rank = version.astype(np.uint64) * np.uint64(2) + (kind == REMOVED).astype(np.uint64)
        rows = rows[np.lexsort((rank, order, client))]
        self._folded = rows[_lasts(rows[:, :2])]


def join(parts: Iterable[History]) -> History:
    """Return one history from several that share no client."""
    known = [part for part in parts if part.clients.size]
    if not known:
        return _history(np.empty((0, WIDTH), np.int64))
    clients = np.concatenate([part.clients for part in known])
    # Where each client of the parts, one after another, comes to stand among all of them.
    place = np.empty(clients.size, np.int64)
    order = np.argsort(clients, kind="stable")
    place[order] = np.arange(clients.size)
    begins = np.cumsum([0, *(part.clients.size for part in known)])
    owner = np.concatenate(
        [place[part.days.owner + begin] for part, begin in zip(known, begins, strict=False)]
    )
    day = np.concatenate([part.days.day for part in known])
    cents = np.concatenate([part.days.cents for part in known])
    by_owner = np.argsort(owner, kind="stable")
    return History(clients[order], OrderDays(owner[by_owner], day[by_owner], cents[by_owner]))


def _history(rows: Ints) -> History:
    """Apply erasures to newest images, sorted by (client, order), and sum up order-days."""
    clients, owner = np.unique(rows[:, 0], return_inverse=True)
    order, version, kind = rows[:, 1], rows[:, 2], rows[:, 3]
    erased = np.zeros(clients.size, np.int64)
    erasures = order == ERASURE
    erased[owner[erasures]] = version[erasures]
    valid = (version > erased[owner]) & ~erasures
    # The removal of an order brings nobody back; an image of the client or of an order does.
    lives = erased == 0
    lives[owner[valid & (kind != REMOVED)]] = True
    index = np.cumsum(lives) - 1
    counting = valid & (kind == COUNTING)
    return History(
        clients[lives],
        _order_days(index[owner[counting]], rows[counting, 4], rows[counting, 5]),
    )


def _order_days(owner: Ints, day: Ints, cents: Ints) -> OrderDays:
    """Sum the orders of each (owner, day)."""
    if not owner.size:
        return OrderDays(owner, day, cents)
    by_day = np.lexsort((day, owner))
    owner, day, cents = owner[by_day], day[by_day], cents[by_day]
    first = np.flatnonzero(np.r_[True, (np.diff(owner) != 0) | (np.diff(day) != 0)])
    return OrderDays(owner[first], day[first], np.add.reduceat(cents, first))


def _lasts(keys: Ints) -> Ints:
    """Return the index of the last row of each run of equal keys."""
    ends = (keys[1:] != keys[:-1]).any(axis=1)
    return np.flatnonzero(np.r_[ends, True])
