"""How good the at-risk rule is: the warnings that follow orders, and the lapses they foretell."""

from typing import NamedTuple

import numpy as np

from common.score.crossing import crossing_days
from common.score.model import Features, entry_and_exit
from common.score.policy import Policy
from common.score.sweep import NO_DAY, FeatureColumns
from fitting.history import Bools, History, order_day_features


class RuleQuality(NamedTuple):
    """Counts over the order-days of a span, of clients with two or more; None: nothing to count."""

    order_days: int
    silent: float | None
    """Base rate: share of the order-days that no order followed within the horizon."""
    warnings: int
    """Clients who fell at risk before they ordered again, long enough ago to know what followed."""
    precision: float | None
    """Share of the warnings that no order followed within the horizon."""
    lapses: int
    caught: float | None
    """Share of the lapses that a warning came before."""
    caught_by_score: float | None
    """The same, had only the score warned, without ``silence_max_days``."""


def quality(history: History, first: int, last: int, policy: Policy) -> RuleQuality:
    """Judge the rule on the order-days of ``first`` to ``last``, by all that came after them."""
    known_until = history.last_day
    columns = order_day_features(history, policy)
    following = np.full(history.day.size, NO_DAY)
    same = history.owner[1:] == history.owner[:-1]
    following[:-1][same] = history.day[1:][same]
    rows = (history.day >= first) & (history.day <= last) & (columns.n > 1)
    columns = FeatureColumns(
        columns.frequency[rows],
        columns.value[rows],
        columns.n[rows],
        columns.first[rows],
        columns.last[rows],
        columns.crossing_day[rows],
    )
    following = following[rows]
    features = [
        Features(*row) for row in zip(*(column.tolist() for column in columns[:5]), strict=True)
    ]
    entries = [entry_and_exit(one, policy)[0] for one in features]
    crossing = np.array(crossing_days(features, entries, policy), dtype=np.int64)
    warned = crossing < following
    matured = warned & (crossing + policy.horizon_days <= known_until)
    right = following[matured] > crossing[matured] + policy.horizon_days
    lapsed = (columns.last + policy.lapse_days <= known_until) & (
        following > columns.last + policy.lapse_days
    )
    by_score = crossing < columns.last + policy.silence_max_days
    observed = columns.last + policy.horizon_days <= known_until
    silent = following[observed] > columns.last[observed] + policy.horizon_days
    return RuleQuality(
        int(rows.sum()),
        _share(silent),
        int(matured.sum()),
        _share(right),
        int(lapsed.sum()),
        _share((warned & (crossing <= columns.last + policy.lapse_days))[lapsed]),
        _share(by_score[lapsed]),
    )


def _share(hits: Bools) -> float | None:
    return float(hits.mean()) if hits.size else None
