"""One fit and its judgement: features at a day, labels in the horizon after it, nothing later."""

from typing import NamedTuple

import numpy as np

from common.clock import date_of
from common.errors import Misconfigured
from common.score.policy import Policy, Weights
from common.score.sweep import Floats
from fitting.history import History as Orders
from fitting.history import Outcome, Snapshot, design, outcome, snapshot, usual_gap
from fitting.logistic import NoFit, fit
from fitting.metrics import Figures, figures

CLIENTS_MIN = 100
"""Fewer clients in a window carry no fit at all; 500 to 1,000 are enough."""
EACH_MIN = 5
"""At least so many must have ordered, and not ordered."""


class Fitted(NamedTuple):
    """Weights, and the window that they come from."""

    day: int
    """Features as they stood on this day; labels in the horizon after it."""
    n: int
    weights: tuple[float, float, float, float]
    recency_weights: tuple[float, float]
    """Of the yardstick: ln(1+days since the last order) alone."""
    gap_prior_days: float
    half_life_days: float
    horizon_days: int

    def policy(self, base: Policy) -> Policy:
        """Return ``base`` with the fitted numbers in the place of its own."""
        return base.model_copy(
            update={
                "weights": Weights(
                    **dict(zip(Weights.model_fields, self.weights, strict=True)),
                ),
                "gap_prior_days": self.gap_prior_days,
                "half_life_days": self.half_life_days,
                "horizon_days": self.horizon_days,
            }
        )


class Judged(NamedTuple):
    """How the weights did on the clients of one day."""

    of: Snapshot
    seen: Outcome
    chance: Floats
    score: Figures
    recency_chance: Floats
    recency: Figures


def fit_window(orders: Orders, day: int, horizon_days: int, half_life_days: float) -> Fitted:
    """Fit on features at ``day`` and labels up to ``day + horizon_days``.

    Raises Misconfigured with one line where the data carry no fit.
    """
    of = snapshot(orders, day, half_life_days)
    where = f"on {date_of(day)}, {horizon_days} days before the weights are needed"
    n = of.owner.size
    if n < CLIENTS_MIN:
        raise Misconfigured(f"too few clients for a fit: {n} {where}; {CLIENTS_MIN} are needed")
    gap = usual_gap(of.columns)
    if gap is None:
        raise Misconfigured(f"no usual gap can be found: no client had ordered twice {where}")
    gap = max(gap, 0.01)
    seen = outcome(orders, of, day + horizon_days)
    came = int(seen.ordered.sum())
    if min(came, n - came) < EACH_MIN:
        raise Misconfigured(
            f"too few labels for a fit: {came} of {n} clients ordered within {horizon_days} days"
            f" of {date_of(day)}; at least {EACH_MIN} must have ordered, and {EACH_MIN} not"
        )
    labels = seen.ordered.astype(float)
    try:
        weights = fit(design(of, gap, half_life_days), labels)
        recency = fit(_recency_design(of), labels)
    except NoFit as error:
        raise Misconfigured(f"there is no fit {where}: {error}") from None
    return Fitted(
        day,
        n,
        (float(weights[0]), float(weights[1]), float(weights[2]), float(weights[3])),
        (float(recency[0]), float(recency[1])),
        gap,
        half_life_days,
        horizon_days,
    )


def judge(orders: Orders, fitted: Fitted, day: int) -> Judged:
    """Score the clients of ``day`` and compare with what they did within the horizon."""
    of = snapshot(orders, day, fitted.half_life_days)
    seen = outcome(orders, of, day + fitted.horizon_days)
    rows = design(of, fitted.gap_prior_days, fitted.half_life_days)
    chance = _chance(rows, np.array(fitted.weights))
    recency = _chance(_recency_design(of), np.array(fitted.recency_weights))
    repeats = of.columns.n > 1
    return Judged(
        of,
        seen,
        chance,
        figures(chance, seen, repeats),
        recency,
        figures(recency, seen, repeats),
    )


def _recency_design(of: Snapshot) -> Floats:
    silence = np.maximum(0, of.day - of.columns.last)
    return np.column_stack((np.ones(silence.size), -np.log1p(silence)))


def _chance(rows: Floats, weights: Floats) -> Floats:
    result: Floats = 1.0 / (1.0 + np.exp(-np.clip(rows @ weights, -700.0, 700.0)))
    return result
