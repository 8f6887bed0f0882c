"""What writing to clients is worth: intervals for proportions, and how many clients one needs.

Pure statistics. A proportion gets Wilson's score interval; the difference of two proportions gets
Newcombe's hybrid of both arms' score intervals, which stays honest for small arms and for rates
near 0, where the usual normal interval does not.
"""

from math import ceil, sqrt
from statistics import NormalDist
from typing import NamedTuple

LEVEL = 0.95
"""Confidence level of all intervals; a two-sided test at it errs in 5 % of null experiments."""
POWER = 0.8
"""How often the smallest difference of interest is to be found where there is one."""
DIFFERENCE = 0.05
"""The smallest difference of interest: five points."""
HALF = 0.5
"""Around this rate differences are hardest to find."""


class Arm(NamedTuple):
    """One arm of an experiment: how many clients it has, and how many of them ordered."""

    clients: int
    ordered: int

    @property
    def rate(self) -> float:
        """The share of clients that ordered; raises ZeroDivisionError for an empty arm."""
        return self.ordered / self.clients


class Interval(NamedTuple):
    """Two bounds, both included."""

    low: float
    high: float


class Estimate(NamedTuple):
    """A figure and the interval around it."""

    value: float
    interval: Interval


def wilson(arm: Arm, level: float = LEVEL) -> Interval:
    """Return the score interval of an arm's rate, within [0, 1].

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    JASA 22 (1927), 209-212; without continuity correction. Raises ValueError for an empty arm.
    """
    _check(arm)
    z = _quantile(level)
    n, p = arm.clients, arm.rate
    shrunk = 1 + z * z / n
    centre = (p + z * z / (2 * n)) / shrunk
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / shrunk
    # At either end the bound is the rate itself; rounding may miss it by the last digit.
    low = 0.0 if arm.ordered == 0 else max(0.0, centre - half)
    high = 1.0 if arm.ordered == n else min(1.0, centre + half)
    return Interval(low, high)


def difference(one: Arm, other: Arm, level: float = LEVEL) -> Estimate:
    """Return by how much the rate of ``one`` is above that of ``other``, as a share.

    Source: R. G. Newcombe, Interval estimation for the difference between independent proportions:
    comparison of eleven methods, Statistics in Medicine 17 (1998), 873-890, method 10. Raises
    ValueError for an empty arm.
    """
    a, b = wilson(one, level), wilson(other, level)
    p, q = one.rate, other.rate
    below = sqrt((p - a.low) ** 2 + (b.high - q) ** 2)
    above = sqrt((a.high - p) ** 2 + (q - b.low) ** 2)
    return Estimate(p - q, Interval(p - q - below, p - q + above))


def needed_per_arm(
    rate: float | None = None,
    *,
    apart: float = DIFFERENCE,
    power: float = POWER,
    level: float = LEVEL,
) -> int:
    """Return how many clients each arm needs to find rates that are ``apart`` with this power.

    The base ``rate`` is a share, None while nothing was observed: then the two rates lie around one
    half, which asks for the most. The other one lies ``apart`` from it towards one half. For arms
    of equal size; where one is larger, the power is higher. Source: J. L. Fleiss, B. Levin, M. C.
    Paik, Statistical Methods for Rates and Proportions, 3rd ed. (2003), section 4.2, without
    continuity correction. Raises ValueError for figures that are no shares.
    """
    if rate is None:
        rate = HALF - apart / 2
    if not (0 <= rate <= 1 and 0 < apart <= HALF and 0 < power < 1):
        raise ValueError("rate, difference and power must be shares")
    other = rate + apart if rate < HALF else rate - apart
    mean = (rate + other) / 2
    by_chance = _quantile(level) * sqrt(2 * mean * (1 - mean))
    by_power = NormalDist().inv_cdf(power) * sqrt(rate * (1 - rate) + other * (1 - other))
    return ceil(((by_chance + by_power) / apart) ** 2)


def _quantile(level: float) -> float:
    """Return the standard normal quantile of a two-sided interval."""
    if not 0 < level < 1:
        raise ValueError("a confidence level lies between 0 and 1")
    return NormalDist().inv_cdf((1 + level) / 2)


def _check(arm: Arm) -> None:
    if not 0 <= arm.ordered <= arm.clients or arm.clients == 0:
        raise ValueError("an arm has clients, and at most all of them ordered")
