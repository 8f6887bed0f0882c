"""Pure: how well scores rank clients, and how true they are; as ``score-eval`` measures both."""

from typing import Any

import numpy as np

from common.score.sweep import Floats

Bools = np.ndarray[Any, np.dtype[np.bool_]]

BINS = 10


def auc(chance: Floats, silent: Bools) -> float | None:
    """Return the chance that a client who stayed silent scored below one who ordered.

    Equal scores count half (H. B. Mann and D. R. Whitney, 1947). None where there is only one kind.
    """
    left, stayed = int(silent.sum()), int((~silent).sum())
    if not left or not stayed:
        return None
    _, group, size = np.unique(-chance, return_inverse=True, return_counts=True)
    rank = (np.cumsum(size) - (size - 1) / 2)[group]
    return float((rank[silent].sum() - left * (left + 1) / 2) / (left * stayed))


def calibration_error(chance: Floats, silent: Bools) -> float | None:
    """Return the mean distance of score and share of orders, over ten bins of equal size.

    Clients of equal score share their mean result, so that no figure depends on their order.
    """
    if not chance.size:
        return None
    _, group, size = np.unique(chance, return_inverse=True, return_counts=True)
    result = (np.bincount(group, ~silent) / size)[group]
    order = np.argsort(chance, kind="stable")
    parts = zip(
        np.array_split(chance[order], BINS), np.array_split(result[order], BINS), strict=True
    )
    apart = [part.size * abs(part.mean() - seen.mean()) for part, seen in parts if part.size]
    return float(sum(apart) / chance.size)
