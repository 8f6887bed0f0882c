"""Pure: assesses a whole history on one day under one policy, as ``common.score.model`` does."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from common.score.model import EXPONENT_MAX
from common.score.policy import Policy
from common.score.sweep import NO_DAY, STATES, FeatureColumns, Floats, Ints, crossings, sweep
from engage.history_columns import History, OrderDays

NO_ORDERS, AT_RISK, LAPSED = (STATES.index(name) for name in ("no_orders", "at_risk", "lapsed"))


class Assessments(NamedTuple):
    """One entry a client, in the order of ``History.clients``."""

    score: Floats
    """NaN for clients without orders."""
    state: Ints
    """Indexes into ``common.score.sweep.STATES``."""
    entry: Floats
    """NaN below two order-days, where the rule does not apply."""
    crossing_day: Ints
    """NO_DAY below two order-days."""
    n: Ints
    """Counted order-days."""
    last: Ints
    """The last of them; 0 where there is none."""


def assess_all(history: History, today: int, policy: Policy) -> Assessments:
    """Return score, state and crossing of every client on ``today`` (days since 1970-01-01)."""
    size = history.clients.size
    owner, columns, entry = _features(history.days, today + policy.ahead_days, policy)
    scores, states = sweep(columns, today, policy)
    result = Assessments(
        score=np.full(size, np.nan),
        state=np.full(size, NO_ORDERS, np.int64),
        entry=np.full(size, np.nan),
        crossing_day=np.full(size, NO_DAY, np.int64),
        n=np.zeros(size, np.int64),
        last=np.zeros(size, np.int64),
    )
    result.score[owner] = scores
    result.state[owner] = states
    result.entry[owner] = entry
    result.crossing_day[owner] = columns.crossing_day
    result.n[owner] = columns.n
    result.last[owner] = columns.last
    return result


def counted_between(history: History, after: int, until: int) -> NDArray[np.bool_]:
    """Say of each client whether it has an order-day in (after, until]."""
    days = history.days
    ordered = np.zeros(history.clients.size, np.bool_)
    ordered[days.owner[(days.day > after) & (days.day <= until)]] = True
    return ordered


def _features(days: OrderDays, until: int, policy: Policy) -> tuple[Ints, FeatureColumns, Floats]:
    """Return the owners of order-days up to ``until``, their features, and their entries.

    The same decay as ``common.score.model.features_of``: each order-day to the client's last.
    """
    known = days.day <= until
    owner, day, cents = days.owner[known], days.day[known], days.cents[known]
    if not owner.size:
        none, nothing = np.empty(0, np.int64), np.empty(0, np.float64)
        return none, FeatureColumns(nothing, nothing, none, none, none, none), nothing
    begin = np.flatnonzero(np.r_[True, np.diff(owner) != 0])
    n = np.diff(np.r_[begin, owner.size])
    first, last = day[begin], day[begin + n - 1]
    age = np.repeat(last, n) - day
    decay = np.exp2(-np.minimum(age / policy.half_life_days, EXPONENT_MAX))
    columns = FeatureColumns(
        np.add.reduceat(decay, begin),
        np.add.reduceat(decay * (cents / 100), begin),
        n,
        first,
        last,
        np.full(n.size, NO_DAY, np.int64),
    )
    repeat = np.flatnonzero(n > 1)
    entry = np.full(n.size, np.nan)
    entry[repeat], columns.crossing_day[repeat] = crossings(columns.only(repeat), policy)
    return owner[begin], columns, entry
