"""Why a score is what it is, and what one order would change."""

from typing import NamedTuple

from common.score.model import Features, Parts, parts_on, score_on
from common.score.policy import Policy


class Explanation(NamedTuple):
    """The parts of one score, and the score after one more order today."""

    parts: Parts
    """Contributions to the log-odds; their total is the score's logit."""
    score: float
    score_after_order: float
    """With one more order today, of the client's usual amount per order-day."""


def explain(features: Features, today: int, policy: Policy) -> Explanation:
    """Explain the score that ``features`` give on ``today`` (days since 1970-01-01)."""
    return Explanation(
        parts_on(features, today, policy),
        score_on(features, today, policy),
        score_on(_after_an_order(features, today, policy), today, policy),
    )


def _after_an_order(features: Features, today: int, policy: Policy) -> Features:
    usual = features.value / features.frequency
    if today <= features.last:
        return features._replace(value=features.value + usual)
    decay = 2.0 ** -((today - features.last) / policy.half_life_days)
    return Features(
        features.frequency * decay + 1,
        features.value * decay + usual,
        features.n + 1,
        features.first,
        today,
    )
