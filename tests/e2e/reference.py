"""A second, independent reading of the score's specification, to check the system against.

It imports nothing of ours and shares no code with the scorer: plain loops, no bisection.
"""

from datetime import date, timedelta
from math import exp, log

W0, W1, W2, W3 = -2.589, 1.59, 0.194, 0.527
G0, HALF_LIFE, RHO, THETA = 45.0, 180.0, 0.7, 0.5
SILENCE_MAX, LAPSE, AHEAD = 150, 180, 1


def order_days(orders, today):
    """Sum (date, amount) pairs by date, leaving out what does not count on ``today``."""
    spend: dict[date, float] = {}
    for day, amount in orders:
        if amount > 0 and (day - today).days <= AHEAD:
            spend[day] = spend.get(day, 0.0) + amount
    return sorted(spend.items())


def standing(days):
    """Return (frequency, value, usual gap, last day), all as of the last order-day."""
    first, last = days[0][0], days[-1][0]
    frequency = sum(0.5 ** ((last - day).days / HALF_LIFE) for day, _ in days)
    value = sum(amount * 0.5 ** ((last - day).days / HALF_LIFE) for day, amount in days)
    return frequency, value, (G0 + (last - first).days) / len(days), last


def chance(stand, on):
    """Return the chance of an order in the next 90 days from ``on``."""
    frequency, value, gap, last = stand
    silence = max(0, (on - last).days)  # an order that counts a day ahead is as fresh as today's
    kept = 0.5 ** (silence / HALF_LIFE)
    z = W0 + W1 * log(1 + frequency * kept) + W2 * log(1 + value * kept)
    return 1 / (1 + exp(-(z - W3 * log(1 + silence / gap))))


def crossing(stand):
    """Return the first day at risk, walked to day by day."""
    last = stand[-1]
    entry = min(THETA, RHO * chance(stand, last))
    for ahead in range(SILENCE_MAX):
        day = last + timedelta(days=ahead)
        if chance(stand, day) <= entry:
            return day
    return last + timedelta(days=SILENCE_MAX)


def expected(orders, today):
    """Return (score, state, crossing day) of (date, amount) pairs on ``today``."""
    days = order_days(orders, today)
    if not days:
        return None, "no_orders", None
    stand = standing(days)
    at_risk_from = crossing(stand) if len(days) > 1 else None
    score = chance(stand, today)
    if (today - days[-1][0]).days > LAPSE:
        return score, "lapsed", at_risk_from
    if at_risk_from is None:
        return score, "one_order", None
    return score, "at_risk" if at_risk_from <= today else "active", at_risk_from
