"""A shop's history as flat columns: the order-days of every client, and features as of any day."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from common.score.model import EXPONENT_MAX
from common.score.policy import Policy
from common.score.sweep import NO_DAY, FeatureColumns, Floats, Ints

Bools = NDArray[np.bool_]


class History(NamedTuple):
    """All counted order-days, sorted by (client, day): one entry each."""

    clients: list[str]
    """Ids as text, ascending; every one has at least one order-day."""
    owner: Ints
    """Index into ``clients``."""
    day: Ints
    """Days since 1970-01-01 in the shop's time zone."""
    cents: Ints

    @property
    def first_day(self) -> int:
        """The day of the first order; raises ValueError for an empty history."""
        return int(self.day.min())

    @property
    def last_day(self) -> int:
        """The day of the last order; raises ValueError for an empty history."""
        return int(self.day.max())


class Snapshot(NamedTuple):
    """The clients known on one day, and their features from the orders up to it."""

    day: int
    owner: Ints
    """Index into ``History.clients``, ascending."""
    columns: FeatureColumns
    """Crossing days are left open: they need a policy."""


class Outcome(NamedTuple):
    """What the clients of a snapshot did within the horizon."""

    ordered: Bools
    spend: Floats
    """In units of the shop's currency."""


def history_of(clients: list[str], owner: Ints, day: Ints, cents: Ints) -> History:
    """Sum single counting orders, in any order, to order-days. Every client has an order."""
    by_day = np.lexsort((day, owner))
    owner, day, cents = owner[by_day], day[by_day], cents[by_day]
    if not owner.size:
        return History(clients, owner, day, cents)
    begins = np.flatnonzero(np.r_[True, (np.diff(owner) != 0) | (np.diff(day) != 0)])
    return History(clients, owner[begins], day[begins], np.add.reduceat(cents, begins))


def history_of_numbers(client: Ints, day: Ints, cents: Ints) -> History:
    """Return the history of orders whose clients are numbered, in the order of ids as text."""
    numbers, owner = np.unique(client, return_inverse=True)
    names = np.array([str(number) for number in numbers.tolist()], dtype=object)
    by_name = np.argsort(names, kind="stable")
    place = np.empty(by_name.size, np.int64)
    place[by_name] = np.arange(by_name.size)
    return history_of(names[by_name].tolist(), place[owner], day, cents)


def only(history: History, clients: set[str]) -> History:
    """Return the history of some of the clients."""
    kept = np.array([name in clients for name in history.clients], dtype=bool)
    index = np.cumsum(kept) - 1
    rows = kept[history.owner]
    names = [name for name, keep in zip(history.clients, kept, strict=True) if keep]
    return History(names, index[history.owner[rows]], history.day[rows], history.cents[rows])


def snapshot(history: History, day: int, half_life_days: float) -> Snapshot:
    """Return the features of all clients from their orders up to and on ``day``."""
    seen = history.day <= day
    owner, days, cents = history.owner[seen], history.day[seen], history.cents[seen]
    if not owner.size:
        none, nothing = np.empty(0, np.int64), np.empty(0)
        return Snapshot(day, none, FeatureColumns(nothing, nothing, none, none, none, none))
    begins = np.flatnonzero(np.r_[True, np.diff(owner) != 0])
    n = np.diff(np.r_[begins, owner.size])
    last = days[begins + n - 1]
    age = np.repeat(last, n) - days
    decay = np.exp2(-np.minimum(age / half_life_days, EXPONENT_MAX))
    columns = FeatureColumns(
        np.add.reduceat(decay, begins),
        np.add.reduceat(decay * (cents / 100), begins),
        n,
        days[begins],
        last,
        np.full(n.size, NO_DAY),
    )
    return Snapshot(day, owner[begins], columns)


def outcome(history: History, of: Snapshot, until: int) -> Outcome:
    """Return which clients ordered after a snapshot's day, up to ``until``, and for how much."""
    rows = (history.day > of.day) & (history.day <= until)
    cents = np.zeros(len(history.clients))
    np.add.at(cents, history.owner[rows], history.cents[rows])
    return Outcome(cents[of.owner] > 0, cents[of.owner] / 100)


def usual_gap(columns: FeatureColumns) -> float | None:
    """Return the median over repeat clients of their mean gap in days; None without any."""
    repeats = columns.n > 1
    if not repeats.any():
        return None
    spans = (columns.last - columns.first)[repeats]
    return float(np.median(spans / (columns.n[repeats] - 1)))


def design(of: Snapshot, gap_prior_days: float, half_life_days: float) -> Floats:
    """Return one row a client: 1, ln(1+S'), ln(1+V'), -ln(1+rec/gap), as ``common.score.model``."""
    columns = of.columns
    silence = np.maximum(0, of.day - columns.last)
    decay = np.exp2(-np.minimum(silence / half_life_days, EXPONENT_MAX))
    gap = (gap_prior_days + columns.last - columns.first) / columns.n
    return np.column_stack(
        (
            np.ones(columns.n.size),
            np.log1p(columns.frequency * decay),
            np.log1p(np.maximum(0.0, columns.value) * decay),
            -np.log1p(silence / gap),
        )
    )


def order_day_features(history: History, policy: Policy) -> FeatureColumns:
    """Return the features on each order-day, from it and the client's earlier ones; one row each.

    Decayed from order-day to order-day (Horner's scheme), all clients' k-th order-days at once.
    """
    size = history.owner.size
    begins = np.flatnonzero(np.r_[True, np.diff(history.owner) != 0]) if size else np.empty(0, int)
    counts = np.diff(np.r_[begins, size])
    rank = np.arange(size) - np.repeat(begins, counts)
    frequency, value = np.ones(size), history.cents / 100
    by_rank = np.argsort(rank, kind="stable")
    ends = np.cumsum(np.bincount(rank)).tolist()
    for begin, end in pairwise(ends):
        rows = by_rank[begin:end]
        away = history.day[rows] - history.day[rows - 1]
        decay = np.exp2(-np.minimum(away / policy.half_life_days, EXPONENT_MAX))
        frequency[rows] += frequency[rows - 1] * decay
        value[rows] += value[rows - 1] * decay
    first = np.repeat(history.day[begins], counts)
    return FeatureColumns(
        frequency, value, rank + 1, first, history.day.copy(), np.full(size, NO_DAY)
    )
