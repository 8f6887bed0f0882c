"""The engagement score: the chance that a client orders soon, and the days that matter.

The form is a weighted recency/frequency/value score through a logistic,

    z = w0 + w1*ln(1+S') + w2*ln(1+V') - w3*ln(1 + rec/gap),   p = 1/(1+e^-z),

where S' and V' are order-days and net spend decayed with the policy's half-life up to the day of
scoring, ``rec`` is the number of days since the last counted order-day and ``gap`` the client's own
usual gap, shrunk towards the shop's. Everything here is a pure function of (ledger, day, policy).
"""

from collections.abc import Sequence
from functools import lru_cache
from math import exp, log1p
from typing import Literal, NamedTuple

import msgspec

from common.score.ledger import Ledger, OrderDay, next_maturity, order_days
from common.score.policy import Policy

State = Literal["no_orders", "one_order", "active", "at_risk", "lapsed"]

EXPONENT_MAX = 700.0
"""exp() of a double overflows just above 709."""

DECAYS_KEPT = 4096
"""Days for which decays are looked up instead of computed: more than any silence_max_days."""


class Features(NamedTuple):
    """What the score knows of a client's orders, as of the last counted order-day."""

    frequency: float
    """Order-days, each decayed to ``last``."""
    value: float
    """Spend in units of the shop's currency, decayed likewise."""
    n: int
    """Number of counted order-days."""
    first: int
    last: int
    """First and last counted order-day, in days since 1970-01-01."""


class Parts(NamedTuple):
    """The summands of z: what each part contributes to the log-odds."""

    intercept: float
    frequency: float
    value: float
    recency: float

    @property
    def total(self) -> float:
        """The log-odds z."""
        return self.intercept + self.frequency + self.value + self.recency


class Assessment(msgspec.Struct, frozen=True, gc=False):
    """Everything that follows from a ledger on one day under one policy."""

    features: Features | None
    score: float | None
    state: State
    entry: float | None
    """At or below this score the client is at risk; None where the rule does not apply."""
    exit: float | None
    crossing_day: int | None
    """The first day at risk if nothing happens; None below two order-days."""
    lapse_day: int | None
    next_day: int | None
    """The next day after ``today`` on which state or features change by themselves."""
    parts: Parts | None
    """What each part contributes to the score's log-odds."""


def decay_over(days: int, half_life_days: float) -> float:
    """Return what is left of 1 after ``days`` with a half-life."""
    return float(2.0 ** -min(days / half_life_days, EXPONENT_MAX))


@lru_cache(maxsize=16)
def decay_table(half_life_days: float) -> tuple[float, ...]:
    """Return ``decay_over`` of 0, 1, 2, … days: a look-up takes a fifth of the power."""
    return tuple(decay_over(days, half_life_days) for days in range(DECAYS_KEPT))


def features_of(days: Sequence[OrderDay], half_life_days: float) -> Features | None:
    """Reduce counted order-days (oldest first) to features; None when there are none.

    Both sums are decayed from order-day to order-day (Horner's scheme), so that a caller who keeps
    them per order-day may go on from any of them and gets the same figures to the last digit.
    """
    if not days:
        return None
    before = days[0].day
    frequency = value = 0.0
    for order_day in days:
        decay = decay_over(order_day.day - before, half_life_days)
        frequency = frequency * decay + 1.0
        value = value * decay + order_day.cents / 100
        before = order_day.day
    return Features(frequency, value, len(days), days[0].day, before)


def parts_on(features: Features, day: int, policy: Policy) -> Parts:
    """Return the summands of the log-odds on ``day`` (days since 1970-01-01)."""
    silence = max(0, day - features.last)
    decay = decay_over(silence, policy.half_life_days)
    gap = (policy.gap_prior_days + features.last - features.first) / features.n
    weights = policy.weights
    return Parts(
        weights.intercept,
        weights.frequency * log1p(features.frequency * decay),
        weights.value * log1p(max(0.0, features.value) * decay),
        -weights.recency * log1p(silence / gap),
    )


def score_on(features: Features, day: int, policy: Policy) -> float:
    """Return the chance in (0, 1) that the client orders within the horizon from ``day``."""
    return logistic(parts_on(features, day, policy).total)


def logistic(z: float) -> float:
    """Return the chance that belongs to the log-odds ``z``, without overflow."""
    if -EXPONENT_MAX <= z <= EXPONENT_MAX:
        return 1.0 / (1.0 + exp(-z))
    return 1.0 / (1.0 + exp(-EXPONENT_MAX if z > 0 else EXPONENT_MAX))


def entry_and_exit(features: Features, policy: Policy) -> tuple[float, float]:
    """Return the scores at or below which an episode opens, and above which it closes."""
    entry = min(policy.theta, policy.rho * score_on(features, features.last, policy))
    return entry, policy.exit_factor * entry


def crossing_day_of(features: Features, entry: float, policy: Policy) -> int:
    """Return the first day at risk if nothing happens.

    The score never rises while a client is silent, so the day is found by bisection between the
    last order-day, on which the score is above ``entry`` by construction, and the longest silence.
    """
    frequency, value, n, first, last = features
    value = max(0.0, value)
    gap = (policy.gap_prior_days + last - first) / n
    decays, w = decay_table(policy.half_life_days), policy.weights
    w0, w1, w2, w3 = w.intercept, w.frequency, w.value, w.recency
    low, high = 0, policy.silence_max_days
    while high - low > 1:
        silence = (low + high) // 2
        decay = decays[silence]
        # ``score_on`` of that day, without what stays the same.
        z = w0 + w1 * log1p(frequency * decay) + w2 * log1p(value * decay)
        if logistic(z - w3 * log1p(silence / gap)) <= entry:
            high = silence
        else:
            low = silence
    return last + high


def state_on(
    features: Features | None, crossing_day: int | None, day: int, policy: Policy
) -> State:
    """Return the client's state on ``day``; the first rule that fits wins."""
    if features is None:
        return "no_orders"
    if day - features.last > policy.lapse_days:
        return "lapsed"
    if features.n == 1 or crossing_day is None:
        return "one_order"
    return "at_risk" if crossing_day <= day else "active"


def assess(ledger: Ledger, today: int, policy: Policy) -> Assessment:
    """Return features, score, state and the days that matter of a ledger on ``today``."""
    days = order_days(ledger, today, policy.ahead_days)
    features = features_of(days, policy.half_life_days)
    matures = next_maturity(ledger, today, policy.ahead_days)
    if features is None:
        return Assessment(None, None, "no_orders", None, None, None, None, matures, None)
    entry = exit_ = crossing = None
    if features.n > 1:
        entry, exit_ = entry_and_exit(features, policy)
        crossing = crossing_day_of(features, entry, policy)
    lapse = features.last + policy.lapse_days + 1
    return Assessment(
        features,
        score_on(features, today, policy),
        state_on(features, crossing, today, policy),
        entry,
        exit_,
        crossing,
        lapse,
        next_day_of(today, crossing, lapse, matures),
        parts_on(features, today, policy),
    )


def next_day_of(today: int, *days: int | None) -> int | None:
    """Return the first of some days that lies after ``today``, if any does."""
    return min((day for day in days if day is not None and day > today), default=None)
