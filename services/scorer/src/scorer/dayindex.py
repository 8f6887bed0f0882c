"""Pure: the order-days of one long ledger, with the features up to each of them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from common.score.model import Features, decay_over


class DayIndex:
    """Net spend and number of counting orders by day, oldest first.

    The features up to each day are kept: a new order at the end costs one step, an old one as many
    as there are days after it. They are the figures of ``model.features_of`` to the last digit.
    """

    def __init__(self, orders: Iterable[tuple[int, int]]) -> None:
        """Index (day, cents) of orders in any order; those of 0 cents do not count."""
        totals: dict[int, list[int]] = {}
        for day, cents in orders:
            if cents:
                total = totals.setdefault(day, [0, 0])
                total[0] += cents
                total[1] += 1
        self._days = sorted(totals)
        self._cents = [totals[day][0] for day in self._days]
        self._orders = [totals[day][1] for day in self._days]
        self._half_life = 0.0
        self._frequency: list[float] = []
        self._value: list[float] = []

    def add(self, day: int, cents: int) -> None:
        """Count one order more."""
        if not cents:
            return
        i = bisect_left(self._days, day)
        if i < len(self._days) and self._days[i] == day:
            self._cents[i] += cents
            self._orders[i] += 1
        else:
            self._days.insert(i, day)
            self._cents.insert(i, cents)
            self._orders.insert(i, 1)
        self._forget_from(i)

    def remove(self, day: int, cents: int) -> None:
        """Count one order less."""
        if not cents:
            return
        i = bisect_left(self._days, day)
        self._cents[i] -= cents
        self._orders[i] -= 1
        if not self._orders[i]:
            del self._days[i], self._cents[i], self._orders[i]
        self._forget_from(i)

    def features(self, half_life_days: float, horizon: int) -> tuple[Features | None, int | None]:
        """Return the features of the days up to ``horizon``, and the first day after it."""
        n = bisect_right(self._days, horizon)
        waiting = self._days[n] if n < len(self._days) else None
        if not n:
            return None, waiting
        if half_life_days != self._half_life:
            self._half_life = half_life_days
            self._forget_from(0)
        self._go_on_to(n)
        features = Features(
            self._frequency[n - 1], self._value[n - 1], n, self._days[0], self._days[n - 1]
        )
        return features, waiting

    def _forget_from(self, i: int) -> None:
        del self._frequency[i:], self._value[i:]

    def _go_on_to(self, n: int) -> None:
        known = len(self._frequency)
        if known >= n:
            return
        days, cents = self._days, self._cents
        frequency = self._frequency[-1] if known else 0.0
        value = self._value[-1] if known else 0.0
        before = days[known - 1] if known else days[0]
        for i in range(known, n):
            decay = decay_over(days[i] - before, self._half_life)
            frequency = frequency * decay + 1.0
            value = value * decay + cents[i] / 100
            before = days[i]
            self._frequency.append(frequency)
            self._value.append(value)
