"""The score of one client day by day, past and future: the figures that ``assess`` gives each day.

The counted order-days change only on the day on which one begins to count. Between two such days
the features stay as they are, so they and the crossing day are worked out once a stretch, and the
scores of all days at once, with numpy.
"""

from typing import NamedTuple

import numpy as np

from common.score.crossing import crossing_days
from common.score.ledger import Ledger, OrderDay, order_days
from common.score.model import Features, State, decay_over, entry_and_exit, features_of
from common.score.policy import Policy
from common.score.sweep import NO_DAY, STATES, FeatureColumns, sweep


class Point(NamedTuple):
    """Score and state on one day."""

    day: int
    """Days since 1970-01-01."""
    score: float | None
    """None before the first counted order-day."""
    state: State


def curve(ledger: Ledger, first: int, last: int, policy: Policy) -> list[Point]:
    """Return a point for each day from ``first`` to ``last``, both included, oldest first.

    As of each day only those orders count that counted on it, by their own dates; the ledger is
    the one of now, so what came late or was corrected since is in it. Scores agree with ``assess``
    to 1e-12, states and days are the same.
    """
    stretches = _stretches(ledger, first, last, policy)
    begin = stretches[0][0] if stretches else last + 1
    points = [Point(day, None, "no_orders") for day in range(first, begin)]
    if not stretches:
        return points
    begins, features = zip(*stretches, strict=True)
    lengths = np.diff(np.array([*begins, last + 1]))
    frequency, value, n, first_day, last_day = (
        np.repeat(np.array(column), lengths) for column in zip(*features, strict=True)
    )
    crossing = np.repeat(np.array(_crossings(features, policy), dtype=np.int64), lengths)
    columns = FeatureColumns(
        frequency.astype(np.float64),
        value.astype(np.float64),
        n.astype(np.int64),
        first_day.astype(np.int64),
        last_day.astype(np.int64),
        crossing,
    )
    days = np.arange(begin, last + 1, dtype=np.int64)
    scores, states = sweep(columns, days, policy)
    found = zip(days.tolist(), scores.tolist(), states.tolist(), strict=True)
    return points + [Point(day, score, STATES[state]) for day, score, state in found]


def _stretches(ledger: Ledger, first: int, last: int, policy: Policy) -> list[tuple[int, Features]]:
    """Return (first day, features) of each stretch of days with the same order-days, if any."""
    every = order_days(ledger, last, policy.ahead_days)
    known = sum(1 for one in every if one.day <= first + policy.ahead_days)
    features = features_of(every[:known], policy.half_life_days)
    stretches = [] if features is None else [(first, features)]
    for one in every[known:]:
        features = _with(features, one, policy)
        stretches.append((one.day - policy.ahead_days, features))
    return stretches


def _with(features: Features | None, one: OrderDay, policy: Policy) -> Features:
    """Return the features with one more order-day behind the last: a step of ``features_of``."""
    if features is None:
        return Features(1.0, one.cents / 100, 1, one.day, one.day)
    decay = decay_over(one.day - features.last, policy.half_life_days)
    return Features(
        features.frequency * decay + 1.0,
        features.value * decay + one.cents / 100,
        features.n + 1,
        features.first,
        one.day,
    )


def _crossings(features: tuple[Features, ...], policy: Policy) -> list[int]:
    """Return the crossing day of each; NO_DAY where there is none."""
    regular = [one for one in features if one.n > 1]
    entries = [entry_and_exit(one, policy)[0] for one in regular]
    found = iter(crossing_days(regular, entries, policy))
    return [next(found) if one.n > 1 else int(NO_DAY) for one in features]
