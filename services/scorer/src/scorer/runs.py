"""Pure: the assessments of a run of clients at once, each equal to ``common.score.model.assess``.

The crossing days, eight scores each, are found for all of the run together. The rest is plain
floats, so that a score never depends, in its last digit, on who else was in the run.
"""

from collections.abc import Sequence
from math import log1p

from common.score.crossing import crossing_days
from common.score.model import (
    DECAYS_KEPT,
    Assessment,
    Features,
    Parts,
    decay_over,
    decay_table,
    logistic,
    next_day_of,
    state_on,
)
from common.score.policy import Policy
from scorer.features import features_at
from scorer.rows import Row


def assess_many(rows: Sequence[Row], today: int, policy: Policy) -> list[Assessment]:
    """Return the assessment of each row's ledger on ``today``, in the order of the rows."""
    ahead, half_life = policy.ahead_days, policy.half_life_days
    found = [features_at(row, half_life, today + ahead) for row in rows]
    repeat = [features for features, _ in found if features is not None and features.n > 1]
    entries = entries_of(repeat, policy)
    crossings = iter(zip(entries, crossing_days(repeat, entries, policy), strict=True))
    lapse_after, exit_factor = policy.lapse_days + 1, policy.exit_factor
    decays, gap_prior, w = decay_table(half_life), policy.gap_prior_days, policy.weights
    w0, w1, w2, w3 = w.intercept, w.frequency, w.value, w.recency
    assessed: list[Assessment] = []
    for features, waiting in found:
        matures = None if waiting is None else waiting - ahead
        if features is None:
            assessed.append(
                Assessment(None, None, "no_orders", None, None, None, None, matures, None)
            )
            continue
        frequency, value, n, first, last = features
        entry, crossing = next(crossings) if n > 1 else (None, None)
        # What ``parts_on`` does, with the decay looked up and the policy at hand. Only amounts
        # above zero count, so the value needs no clamp.
        silence = today - last if today > last else 0
        decay = decays[silence] if silence < DECAYS_KEPT else decay_over(silence, half_life)
        parts = Parts(
            w0,
            w1 * log1p(frequency * decay),
            w2 * log1p(value * decay),
            -w3 * log1p(silence / ((gap_prior + last - first) / n)),
        )
        lapse = last + lapse_after
        usual = crossing is not None and matures is None and today < crossing < lapse
        assessed.append(
            Assessment(
                features,
                logistic(parts[0] + parts[1] + parts[2] + parts[3]),
                "active" if usual else state_on(features, crossing, today, policy),
                entry,
                None if entry is None else exit_factor * entry,
                crossing,
                lapse,
                crossing if usual else next_day_of(today, crossing, lapse, matures),
                parts,
            )
        )
    return assessed


def entries_of(clients: Sequence[Features], policy: Policy) -> list[float]:
    """Return the entry value of each client, the first of ``model.entry_and_exit``."""
    rho, theta, w = policy.rho, policy.theta, policy.weights
    w0, w1, w2 = w.intercept, w.frequency, w.value
    return [
        min(theta, rho * logistic(w0 + w1 * log1p(frequency) + w2 * log1p(value)))
        for frequency, value, _, _, _ in clients
    ]
