"""Scores of many clients on one day at once, with numpy: the same figures as one by one."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from common.score.model import EXPONENT_MAX, State
from common.score.policy import Policy

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STATES: tuple[State, ...] = ("no_orders", "one_order", "active", "at_risk", "lapsed")
NO_DAY = np.iinfo(np.int64).max
"""Stands for "no crossing day" in integer columns."""


class FeatureColumns(NamedTuple):
    """The stored features of many clients, one entry each, all with at least one order-day."""

    frequency: Floats
    value: Floats
    n: Ints
    first: Ints
    last: Ints
    crossing_day: Ints
    """NO_DAY where a client has fewer than two order-days."""

    def only(self, which: Ints) -> "FeatureColumns":
        """Return the columns of some clients alone, named by their places."""
        return FeatureColumns(
            self.frequency[which],
            self.value[which],
            self.n[which],
            self.first[which],
            self.last[which],
            self.crossing_day[which],
        )


def sweep(columns: FeatureColumns, day: int | Ints, policy: Policy) -> tuple[Floats, Ints]:
    """Return the scores on ``day`` and the states as indexes into ``STATES``.

    ``day`` is one day for all, or one for each.
    """
    silence = np.maximum(0, day - columns.last)
    decay = np.exp2(-np.minimum(silence / policy.half_life_days, EXPONENT_MAX))
    gap = (policy.gap_prior_days + columns.last - columns.first) / columns.n
    w = policy.weights
    z = (
        w.intercept
        + w.frequency * np.log1p(columns.frequency * decay)
        + w.value * np.log1p(np.maximum(0.0, columns.value) * decay)
        - w.recency * np.log1p(silence / gap)
    )
    scores = 1.0 / (1.0 + np.exp(-np.clip(z, -EXPONENT_MAX, EXPONENT_MAX)))
    states = np.select(
        [
            day - columns.last > policy.lapse_days,
            columns.n == 1,
            columns.crossing_day <= day,
        ],
        [STATES.index("lapsed"), STATES.index("one_order"), STATES.index("at_risk")],
        STATES.index("active"),
    )
    return scores, states.astype(np.int64)


def crossings(columns: FeatureColumns, policy: Policy) -> tuple[Floats, Ints]:
    """Return the entries and the first days at risk, by the bisection of ``common.score.model``.

    All clients have at least two order-days; what ``columns`` say of their crossing is not read.
    """
    entry = np.minimum(policy.theta, policy.rho * sweep(columns, columns.last, policy)[0])
    low, high = columns.last.copy(), columns.last + policy.silence_max_days
    while (wide := high - low > 1).any():
        middle = (low + high) // 2
        below = sweep(columns, middle, policy)[0] <= entry
        high = np.where(wide & below, middle, high)
        low = np.where(wide & ~below, middle, low)
    return entry, high
