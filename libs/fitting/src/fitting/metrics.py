"""How good predicted chances of an order are. AUC, PR-AUC and lift are for "does not order"."""

from typing import NamedTuple

import numpy as np
from sklearn.metrics import (  # type: ignore[import-untyped] # it has no types
    average_precision_score,
    roc_auc_score,
)

from common.score.sweep import Floats
from fitting.history import Bools, Outcome

BINS = 10
SPENDERS = 0.2


class Figures(NamedTuple):
    """The quality of one score; None where the data cannot tell."""

    auc_all: float | None
    auc_repeat: float | None
    pr_auc: float | None
    brier: float
    ece: float
    lift_top_decile: float | None
    spend_top_20: float | None


class Bin(NamedTuple):
    """One bin of the calibration plot."""

    predicted: float
    ordered: float
    n: int


def figures(chance: Floats, seen: Outcome, repeats: Bools) -> Figures:
    """Measure ``chance`` of an order against what was seen; ``repeats`` marks repeat clients."""
    risk, left = 1.0 - chance, ~seen.ordered
    both = bool(left.any() and not left.all())
    return Figures(
        _auc(risk, left),
        _auc(risk[repeats], left[repeats]),
        float(average_precision_score(left, risk)) if both else None,
        float(np.mean((chance - seen.ordered) ** 2)),
        ece(chance, seen.ordered),
        _lift(risk, left),
        _spend_share(chance, seen.spend),
    )


def bins(chance: Floats, ordered: Bools) -> list[Bin]:
    """Cut the clients into ten bins of equal size by predicted chance.

    Clients with the same chance are given the bin's mean result, so that no figure depends on the
    order of the rows.
    """
    order = np.argsort(chance, kind="stable")
    return [
        Bin(float(part.mean()), float(result.mean()), part.size)
        for part, result in zip(
            np.array_split(chance[order], BINS),
            np.array_split(_smoothed(chance, ordered.astype(float))[order], BINS),
            strict=True,
        )
        if part.size
    ]


def ece(chance: Floats, ordered: Bools) -> float:
    """Return the expected calibration error over ten bins of equal size."""
    found = bins(chance, ordered)
    total = sum(b.n for b in found)
    return sum(b.n * abs(b.predicted - b.ordered) for b in found) / total


def lift_curve(chance: Floats, ordered: Bools) -> tuple[Floats, Floats]:
    """Return the share of clients, riskiest first, and the share of all leavers among them."""
    left = _smoothed(chance, 1.0 - ordered.astype(float))[np.argsort(chance, kind="stable")]
    share = np.arange(1, left.size + 1) / left.size
    return share, np.cumsum(left) / max(left.sum(), 1e-12)


def _smoothed(chance: Floats, result: Floats) -> Floats:
    """Give clients of equal chance their common mean result."""
    _, group, size = np.unique(chance, return_inverse=True, return_counts=True)
    mean: Floats = (np.bincount(group, result) / size)[group]
    return mean


def _auc(risk: Floats, left: Bools) -> float | None:
    if not left.any() or left.all():
        return None
    return float(roc_auc_score(left, risk))


def _lift(risk: Floats, left: Bools) -> float | None:
    """Return the share that does not order in the riskiest tenth, over that among all."""
    base = left.mean()
    if base == 0:
        return None
    top = max(1, round(risk.size / 10))
    smooth = _smoothed(risk, left.astype(float))
    return float(smooth[np.argsort(-risk, kind="stable")][:top].mean() / base)


def _spend_share(chance: Floats, spend: Floats) -> float | None:
    """Return the share of all spend within the horizon that the best-scored fifth makes."""
    total = spend.sum()
    if total <= 0:
        return None
    top = max(1, round(chance.size * SPENDERS))
    smooth = _smoothed(chance, spend)
    return float(smooth[np.argsort(-chance, kind="stable")][:top].sum() / total)
