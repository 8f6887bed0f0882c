"""Why a score is what it is, and the smallest change that lifts a client out of risk."""

from typing import NamedTuple

from common.score.model import (
    Features,
    Parts,
    crossing_day_of,
    decay_over,
    entry_and_exit,
    parts_on,
    score_on,
    state_on,
)
from common.score.policy import Policy

LEAST_AMOUNT = 0.01
"""The smallest amount with which an order counts."""


class Lift(NamedTuple):
    """One order today: it is always enough, and nothing less is.

    An order begins a new silence of no days, on which the score is above the entry value by
    construction (``rho`` is below 1). Without one, the score only falls.
    """

    score_before: float
    score_after: float
    """With an order of the client's usual amount per order-day."""
    score_after_least: float
    """With an order of the smallest amount that counts: it lifts as well."""
    safe_until_day: int
    """The last day before the client is at risk again, if nothing follows the usual order."""


class Explanation(NamedTuple):
    """The parts of one score, the score after one more order today, and the way out of risk."""

    parts: Parts
    """Contributions to the log-odds; their total is the score's logit."""
    score: float
    score_after_order: float
    """With one more order today, of the client's usual amount per order-day."""
    lift: Lift | None
    """What would lift the client out of risk; None for a client neither at risk nor lapsed."""


def explain(features: Features, today: int, policy: Policy) -> Explanation:
    """Explain the score that ``features`` give on ``today`` (days since 1970-01-01)."""
    score = score_on(features, today, policy)
    usual = after_an_order(features, today, features.value / features.frequency, policy)
    after = score_on(usual, today, policy)
    return Explanation(
        parts_on(features, today, policy),
        score,
        after,
        Lift(
            score,
            after,
            score_on(after_an_order(features, today, LEAST_AMOUNT, policy), today, policy),
            _crossing(usual, policy) - 1,
        )
        if _out_of_sight(features, today, policy)
        else None,
    )


def after_an_order(features: Features, today: int, amount: float, policy: Policy) -> Features:
    """Return the features after one more order today, in units of the shop's currency."""
    if today <= features.last:
        decay = decay_over(features.last - today, policy.half_life_days)
        return features._replace(value=features.value + decay * amount)
    decay = decay_over(today - features.last, policy.half_life_days)
    return Features(
        features.frequency * decay + 1.0,
        features.value * decay + amount,
        features.n + 1,
        features.first,
        today,
    )


def _out_of_sight(features: Features, today: int, policy: Policy) -> bool:
    crossing = _crossing(features, policy) if features.n > 1 else None
    return state_on(features, crossing, today, policy) in {"at_risk", "lapsed"}


def _crossing(features: Features, policy: Policy) -> int:
    return crossing_day_of(features, entry_and_exit(features, policy)[0], policy)
