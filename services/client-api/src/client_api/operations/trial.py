"""Pure: two policies over the stored features of many clients, and how they differ on one day."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from common.score.policy import Policy
from common.score.sweep import STATES, FeatureColumns, Floats, Ints, crossings, sweep

AT_RISK = STATES.index("at_risk")
AHEAD_DAYS = 30
"""The days over which coming emails are expected."""
BEHIND_FEATURES = ("half_life_days", "ahead_days")
"""What the features themselves depend on: the stored ones say nothing of other values of these."""


class Standing(NamedTuple):
    """What one policy makes of the clients."""

    scores: Floats
    states: Ints
    crossing: Ints
    precision: float | None
    emails_per_day: float

    @property
    def at_risk(self) -> NDArray[np.bool_]:
        """Who is at risk."""
        risky: NDArray[np.bool_] = self.states == AT_RISK
        return risky


class Difference(NamedTuple):
    """How two policies differ, in clients."""

    present: Standing
    candidate: Standing
    entering: int
    leaving: int
    staying: int
    held: int
    """Of those entering, who crossed longer ago than the candidate lets pass without a person."""
    emails_at_once: float


def standing(columns: FeatureColumns, day: int, policy: Policy) -> Standing:
    """Assess all clients on ``day`` (days since 1970-01-01), as ``common.score.model`` does."""
    crossing = columns.crossing_day.copy()
    repeat = np.flatnonzero(columns.n > 1)
    crossing[repeat] = crossings(columns.only(repeat), policy)[1]
    scores, states = sweep(columns._replace(crossing_day=crossing), day, policy)
    at_risk = states == AT_RISK
    precision = float(1 - scores[at_risk].mean()) if at_risk.any() else None
    coming = (crossing > day) & (crossing <= day + AHEAD_DAYS)
    # At a constant rate of orders: the chance of none within d of the horizon's h days.
    silent = (1 - scores[coming]) ** ((crossing[coming] - day) / policy.horizon_days)
    emails = float(silent.sum()) * _written(policy) / AHEAD_DAYS
    return Standing(scores, states, crossing, precision, emails)


def compare(columns: FeatureColumns, day: int, present: Policy, candidate: Policy) -> Difference:
    """Say how the candidate differs from the present policy on ``day``."""
    before, after = standing(columns, day, present), standing(columns, day, candidate)
    entering = after.at_risk & ~before.at_risk
    held = entering & (day + 1 - after.crossing > candidate.hold_after_days)
    return Difference(
        before,
        after,
        entering=int(entering.sum()),
        leaving=int((before.at_risk & ~after.at_risk).sum()),
        staying=int((before.at_risk & after.at_risk).sum()),
        held=int(held.sum()),
        emails_at_once=float((entering & ~held).sum()) * _written(candidate),
    )


def beyond_features(present: Policy, candidate: Policy) -> list[str]:
    """Return the fields in which the candidate differs that the stored features depend on."""
    return [f for f in BEHIND_FEATURES if getattr(present, f) != getattr(candidate, f)]


def _written(policy: Policy) -> float:
    return 1 - policy.holdout_percent / 100
