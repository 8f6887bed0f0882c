"""Evaluates the score on a split of a history: fitted before it, judged on what came after."""

from typing import Any, NamedTuple

from common.clock import date_of
from common.errors import Misconfigured
from common.score.policy import Policy
from fitting.history import History
from fitting.window import Fitted, Judged, fit_window, judge

SHORT_DAYS_MAX = 3
"""A shop may be closed on its file's last days: so many may lack at the end of the horizon."""


class Evaluation(NamedTuple):
    """Everything that a report tells of one split."""

    split: int
    horizon_days: int
    fitted: Fitted
    judged: Judged
    remarks: tuple[str, ...]


def evaluate(
    orders: History, split: int, horizon_days: int, half_life_days: float | None = None
) -> Evaluation:
    """Fit on features at ``split - horizon_days``, judge on the horizon after ``split``.

    Raises Misconfigured where the file cannot answer: it names what is missing.
    """
    first, last = orders.first_day, orders.last_day
    span = f"the orders reach from {date_of(first)} to {date_of(last)}"
    if not first <= split <= last:
        raise Misconfigured(f"the split {date_of(split)} lies outside the data: {span}")
    if split - horizon_days < first:
        raise Misconfigured(
            f"the horizon of {horizon_days} days is longer than the history before the split:"
            f" weights need features of {_date(split - horizon_days)}; {span}"
        )
    short = split + horizon_days - last
    if short > SHORT_DAYS_MAX:
        raise Misconfigured(
            f"the horizon of {horizon_days} days after the split is not over:"
            f" {_date(split + horizon_days)} is needed to judge by; {span}"
        )
    fitted = fit_window(
        orders,
        split - horizon_days,
        horizon_days,
        Policy().half_life_days if half_life_days is None else half_life_days,
    )
    judged = judge(orders, fitted, split)
    remarks = []
    if short > 0:
        remarks.append(f"the last {short} days of the horizon lie after the last order")
    lacking = [name for name, value in judged.score._asdict().items() if value is None]
    if lacking:
        remarks.append(f"the data cannot tell: {', '.join(lacking)}")
    return Evaluation(split, horizon_days, fitted, judged, tuple(remarks))


def document(found: Evaluation) -> dict[str, Any]:
    """Return the figures as ``score-eval`` prints them; None where the data cannot tell."""
    judged = found.judged
    names = ("intercept", "frequency", "value", "recency")
    counts = {
        "n": int(judged.chance.size),
        "n_repeat": int((judged.of.columns.n > 1).sum()),
        "churn": float(1 - judged.seen.ordered.mean()),
    }
    return {
        **counts,
        **judged.score._asdict(),
        "recency": {**counts, **judged.recency._asdict()},
        "weights": dict(zip(names, found.fitted.weights, strict=True)),
    }


def _date(day: int) -> str:
    try:
        return date_of(day).isoformat()
    except OverflowError:
        return f"day {day}"
