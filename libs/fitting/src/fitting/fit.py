"""Fits the last matured window of a history, judges the fit, and says what speaks against it."""

from datetime import UTC, datetime
from typing import NamedTuple

from common.clock import date_of
from common.errors import Misconfigured
from common.score.policy import Policy
from fitting.history import History, only
from fitting.parameters import FittedPolicy, HeldOut, Parameters, Quality, Window
from fitting.window import CLIENTS_MIN, Fitted, fit_window, judge

WINDOW_MIN = 1_000
"""Clients that a window needs before its weights may be put in force."""
WEIGHT_MIN = 1e-9


class Ask(NamedTuple):
    """What is to be fitted, and what is to be said of it."""

    source: str
    as_of: int
    time_zone: str
    base: Policy
    """Horizon, half-life, rho and theta are taken from it."""
    held_out: set[str] | None = None


def fit(orders: History, ask: Ask) -> Parameters:
    """Return the parameters of the window that ends on ``ask.as_of``.

    Raises Misconfigured where the data carry no fit.
    """
    horizon, half_life = ask.base.horizon_days, ask.base.half_life_days
    first, last = orders.first_day, orders.last_day
    if not first <= ask.as_of <= last:
        raise Misconfigured(
            f"--as-of {date_of(ask.as_of)} lies outside the data:"
            f" the orders reach from {date_of(first)} to {date_of(last)}"
        )
    day = ask.as_of - horizon
    if day < first:
        raise Misconfigured(
            f"the horizon of {horizon} days is longer than the history:"
            f" the orders reach from {date_of(first)} to {date_of(last)}"
        )
    population, held = orders, None
    if ask.held_out is not None:
        held = only(orders, ask.held_out)
        if _clients(held, day) >= WINDOW_MIN:
            population = held
    fitted = fit_window(population, day, horizon, half_life)
    of_window = judge(population, fitted, day)
    return Parameters(
        fitted_at=datetime.now(UTC),
        source=ask.source,
        as_of=date_of(ask.as_of).isoformat(),
        time_zone=ask.time_zone,
        policy=_policy(fitted, ask.base),
        window=Window(
            features_on=date_of(day).isoformat(),
            labels_until=date_of(ask.as_of).isoformat(),
            n=fitted.n,
            ordered=float(of_window.seen.ordered.mean()),
        ),
        quality=_quality(population, fitted),
        held_out=None if held is None else _held_out(held, fitted, fits=held is population),
    )


def against(found: Parameters, max_ece: float) -> list[str]:
    """Return why the parameters must not be put in force; nothing speaks against good ones."""
    reasons = []
    quality, weights = found.quality, found.policy.weights
    if found.window.n < WINDOW_MIN:
        reasons.append(f"the window has {found.window.n} clients; {WINDOW_MIN} are needed")
    if quality.auc is None or quality.recency_auc is None:
        reasons.append("the AUC cannot be told: all clients did the same")
    elif quality.auc <= quality.recency_auc:
        reasons.append(
            f"AUC {quality.auc:.4f} is not above {quality.recency_auc:.4f} of recency alone"
        )
    if quality.ece > max_ece:
        reasons.append(f"calibration error {quality.ece:.4f} is above {max_ece:g}")
    reasons += [
        f"the weight of {name} is {value:g}: the data ask for the wrong sign"
        for name, value in weights.model_dump().items()
        if name != "intercept" and value <= WEIGHT_MIN
    ]
    return reasons


def _policy(fitted: Fitted, base: Policy) -> FittedPolicy:
    policy = fitted.policy(base)
    return FittedPolicy(**policy.model_dump(include=set(FittedPolicy.model_fields)))


def _quality(orders: History, fitted: Fitted) -> Quality:
    """Judge out of time where the history reaches back far enough, else in the window itself."""
    basis, judged_by = "out_of_time", fitted
    try:
        earlier = fitted.day - fitted.horizon_days
        judged_by = fit_window(orders, earlier, fitted.horizon_days, fitted.half_life_days)
    except Misconfigured:
        basis = "in_sample"
    if basis == "out_of_time" and judged_by.n < WINDOW_MIN:
        basis, judged_by = "in_sample", fitted
    judged = judge(orders, judged_by, fitted.day)
    return Quality(
        basis="out_of_time" if basis == "out_of_time" else "in_sample",
        n=int(judged.chance.size),
        auc=judged.score.auc_all,
        auc_repeat=judged.score.auc_repeat,
        ece=judged.score.ece,
        brier=judged.score.brier,
        recency_auc=judged.recency.auc_all,
        recency_ece=judged.recency.ece,
    )


def _held_out(held: History, fitted: Fitted, *, fits: bool) -> HeldOut:
    n = _clients(held, fitted.day)
    why = None if fits else f"{n} clients held out in the window; {WINDOW_MIN} are needed"
    if n < CLIENTS_MIN:
        return HeldOut(
            clients_in_window=n,
            fitted_on=fits,
            why_not=why,
            calibration_error=None,
            predicted=None,
            ordered=None,
        )
    judged = judge(held, fitted, fitted.day)
    return HeldOut(
        clients_in_window=n,
        fitted_on=fits,
        why_not=why,
        calibration_error=judged.score.ece,
        predicted=float(judged.chance.mean()),
        ordered=float(judged.seen.ordered.mean()),
    )


def _clients(orders: History, day: int) -> int:
    """Return how many clients had ordered up to ``day``."""
    return len(set(orders.owner[orders.day <= day].tolist()))
