"""A second, independent reading of the score's specification, to check the system against.

It imports nothing of ours and shares no code with the scorer: plain loops, no bisection.
"""

from datetime import date, timedelta
from math import exp, log
from typing import Any, NamedTuple

COUNTING = ("placed", "paid", "shipped", "delivered")


class Rules(NamedTuple):
    """The numbers of a policy, under the names of the specification."""

    w0: float = -2.589
    w1: float = 1.59
    w2: float = 0.194
    w3: float = 0.527
    g0: float = 45.0
    half_life: float = 180.0
    rho: float = 0.7
    theta: float = 0.5
    silence_max: int = 150
    lapse: int = 180
    ahead: int = 1


USUAL = Rules()


def rules_of(document: dict[str, Any]) -> Rules:
    """Read the rules from a policy's document, as the API serves it."""
    weights = document["weights"]
    return Rules(
        w0=weights["intercept"],
        w1=weights["frequency"],
        w2=weights["value"],
        w3=weights["recency"],
        g0=document["gap_prior_days"],
        half_life=document["half_life_days"],
        rho=document["rho"],
        theta=document["theta"],
        silence_max=document["silence_max_days"],
        lapse=document["lapse_days"],
        ahead=document["ahead_days"],
    )


def order_days(orders, today, rules=USUAL):
    """Sum (date, amount) pairs by date, leaving out what does not count on ``today``."""
    spend: dict[date, float] = {}
    for day, amount in orders:
        if amount > 0 and (day - today).days <= rules.ahead:
            spend[day] = spend.get(day, 0.0) + amount
    return sorted(spend.items())


def standing(days, rules=USUAL):
    """Return (frequency, value, usual gap, last day), all as of the last order-day."""
    first, last = days[0][0], days[-1][0]
    kept = [0.5 ** ((last - day).days / rules.half_life) for day, _ in days]
    frequency = sum(kept)
    value = sum(amount * part for (_, amount), part in zip(days, kept, strict=True))
    return frequency, value, (rules.g0 + (last - first).days) / len(days), last


def chance(stand, on, rules=USUAL):
    """Return the chance of an order in the next 90 days from ``on``."""
    frequency, value, gap, last = stand
    silence = max(0, (on - last).days)  # an order that counts a day ahead is as fresh as today's
    kept = 0.5 ** (silence / rules.half_life)
    z = rules.w0 + rules.w1 * log(1 + frequency * kept) + rules.w2 * log(1 + value * kept)
    return 1 / (1 + exp(-(z - rules.w3 * log(1 + silence / gap))))


def entry_of(stand, rules=USUAL):
    """Return the chance at or below which a client is at risk."""
    return min(rules.theta, rules.rho * chance(stand, stand[-1], rules))


def crossing(stand, rules=USUAL):
    """Return the first day at risk, walked to day by day."""
    last, entry = stand[-1], entry_of(stand, rules)
    for ahead in range(rules.silence_max):
        day = last + timedelta(days=ahead)
        if chance(stand, day, rules) <= entry:
            return day
    return last + timedelta(days=rules.silence_max)


def expected(orders, today, rules=USUAL):
    """Return (score, state, crossing day) of (date, amount) pairs on ``today``."""
    days = order_days(orders, today, rules)
    if not days:
        return None, "no_orders", None
    stand = standing(days, rules)
    at_risk_from = crossing(stand, rules) if len(days) > 1 else None
    score = chance(stand, today, rules)
    if (today - days[-1][0]).days > rules.lapse:
        return score, "lapsed", at_risk_from
    if at_risk_from is None:
        return score, "one_order", None
    return score, "at_risk" if at_risk_from <= today else "active", at_risk_from
