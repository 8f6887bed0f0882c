"""Pure: the features of a row's orders, as ``common.score.model.features_of`` gives them."""

from bisect import bisect_right
from collections.abc import Sequence

from common.score.model import Features, decay_table
from scorer.dayindex import DayIndex
from scorer.orders import NEVER
from scorer.rows import Row


def features_at(
    row: Row, half_life_days: float, horizon: int
) -> tuple[Features | None, int | None]:
    """Return the features of the orders dated up to ``horizon``, and the first day after it.

    The same figures as from the ledger's order-days, to the last digit.
    """
    segments = row.segments if row.directory else None
    if segments is not None:
        return segments.index.features(half_life_days, horizon)
    orders = row.orders
    days, cents = orders.days, orders.cents
    if not days:
        return None, None
    waiting: int | None = None
    if days[0] == NEVER or days[-1] > horizon:
        begin, end = bisect_right(days, NEVER), bisect_right(days, horizon)
        if end < len(days):
            waiting = days[end]
        if begin == end:
            return None, waiting
        days, cents = days[begin:end], cents[begin:end]
    try:
        return _walk(days, cents, decay_table(half_life_days)), waiting
    except IndexError:  # a gap of more years than the table has
        return DayIndex(zip(days, cents, strict=True)).features(half_life_days, horizon)[0], waiting


def _walk(days: Sequence[int], cents: Sequence[int], decays: Sequence[float]) -> Features:
    first = before = days[0]
    frequency, value, total, n = 1.0, 0.0, 0, 1
    for day, amount in zip(days, cents, strict=True):
        if day == before:
            total += amount
        else:
            decay = decays[day - before]
            frequency = frequency * decay + 1.0
            value = (value + total / 100) * decay
            total, before = amount, day
            n += 1
    return Features(frequency, value + total / 100, n, first, before)
