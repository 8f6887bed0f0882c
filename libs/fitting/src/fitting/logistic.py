"""Logistic regression under sign constraints: Newton's method on the weights that may move.

Projected Newton after Bertsekas (1982), "Projected Newton methods for optimization problems with
simple constraints". Four weights and a convex loss: a handful of passes over the data.
"""

import numpy as np
from scipy.special import expit  # type: ignore[import-untyped] # it has no types

from common.score.sweep import Floats

PASSES_MAX = 60
HALVINGS_MAX = 30
TOLERANCE = 1e-11
WEIGHT_MAX = 1000.0
"""A policy takes no larger weight; only data that a rule separates wholly asks for one."""


class NoFit(Exception):
    """The data determine no finite weights."""


def fit(design: Floats, ordered: Floats) -> Floats:
    """Return the weights of greatest likelihood; all but the first are kept from falling below 0.

    ``design`` has one row a client and 1 in its first column; ``ordered`` is 0 or 1. Raises NoFit
    where the classes are separable, or only one is there.
    """
    share = float(ordered.mean()) if ordered.size else 0.0
    if not 0.0 < share < 1.0:
        raise NoFit("all clients did the same")
    weights = np.zeros(design.shape[1])
    weights[0] = np.log(share / (1 - share))
    lower = np.r_[-np.inf, np.zeros(weights.size - 1)]
    for _ in range(PASSES_MAX):
        chance = expit(design @ weights)
        gradient = design.T @ (chance - ordered) / ordered.size
        free = (weights > lower) | (gradient < 0)
        if np.abs(gradient[free]).max(initial=0.0) < TOLERANCE:
            return weights
        spread = chance * (1 - chance) / ordered.size
        curvature = (design[:, free] * spread[:, None]).T @ design[:, free]
        step = np.zeros_like(weights)
        # A column that never varies leaves the curvature singular: the shortest step is taken.
        step[free] = np.linalg.lstsq(curvature, gradient[free], rcond=1e-13)[0]
        moved = _line_search(design, ordered, weights, step, lower)
        if np.abs(moved).max() > WEIGHT_MAX:
            break
        stands = np.abs(moved - weights).max() <= TOLERANCE * max(1.0, np.abs(weights).max())
        weights = moved
        if stands:
            return weights
    raise NoFit("no finite weights fit: a rule tells the classes apart without error")


def _line_search(
    design: Floats, ordered: Floats, weights: Floats, step: Floats, lower: Floats
) -> Floats:
    """Return the farthest halved step that does not raise the loss."""
    loss = _loss(design, ordered, weights)
    for halving in range(HALVINGS_MAX):
        moved = np.maximum(lower, weights - step * 0.5**halving)
        if _loss(design, ordered, moved) <= loss:
            return moved
    return weights


def _loss(design: Floats, ordered: Floats, weights: Floats) -> float:
    """Return the mean negative log-likelihood."""
    z = design @ weights
    return float(np.mean(np.logaddexp(0.0, z) - ordered * z))
