"""Crossing days of many clients at once: the bisection of ``model.crossing_day_of`` in columns."""

from collections.abc import Sequence

import numpy as np

from common.score.model import EXPONENT_MAX, Features, crossing_day_of
from common.score.policy import Policy

TOGETHER_MIN = 24
"""Below this many clients the one-by-one bisection is faster than numpy's overhead."""

MARGIN = 1e-11
"""Where score and entry are this close (relatively), numpy's last digits could decide otherwise."""


def crossing_days(
    features: Sequence[Features], entries: Sequence[float], policy: Policy
) -> list[int]:
    """Return each client's first day at risk: exactly what ``crossing_day_of`` returns."""
    if len(features) < TOGETHER_MIN:
        return [
            crossing_day_of(one, entry, policy)
            for one, entry in zip(features, entries, strict=True)
        ]
    frequency, value, n, first, last = (
        np.array(column, dtype=np.float64) for column in zip(*features, strict=True)
    )
    entry = np.array(entries)
    value = np.maximum(0.0, value)
    gap = (policy.gap_prior_days + last - first) / n
    w = policy.weights
    days = np.arange(policy.silence_max_days + 1)
    decays = np.exp2(-np.minimum(days / policy.half_life_days, EXPONENT_MAX))
    low = np.zeros(len(features), dtype=np.int64)
    high = np.full(len(features), policy.silence_max_days, dtype=np.int64)
    close = np.zeros(len(features), dtype=bool)
    for _ in range(policy.silence_max_days.bit_length()):
        middle = (low + high) // 2
        decay = decays[middle]
        z = (
            w.intercept
            + w.frequency * np.log1p(frequency * decay)
            + w.value * np.log1p(value * decay)
            - w.recency * np.log1p(middle / gap)
        )
        score = 1.0 / (1.0 + np.exp(-np.clip(z, -EXPONENT_MAX, EXPONENT_MAX)))
        close |= np.abs(score - entry) <= MARGIN * entry
        at_risk = score <= entry
        wide = high - low > 1
        high = np.where(wide & at_risk, middle, high)
        low = np.where(wide & ~at_risk, middle, low)
    found: list[int] = (last.astype(np.int64) + high).tolist()
    for i in np.flatnonzero(close).tolist():
        found[i] = crossing_day_of(features[i], entries[i], policy)
    return found
