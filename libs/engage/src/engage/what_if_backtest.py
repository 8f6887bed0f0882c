"""Pure: how a policy's calls at risk would have fared on the shop's own past."""

from math import sqrt
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from common.score.policy import Policy
from engage.history_columns import History, OrderDays
from engage.history_scores import AT_RISK, LAPSED, assess_all, counted_between
from engage.what_if_ranking import auc, calibration_error

TOO_FEW = 30
"""Below this many clients a share says too little to be reported."""
Z_95 = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""

Share = Annotated[float, Field(ge=0, le=1)]


class Proportion(BaseModel):
    """A share of ``n`` with its 95 % interval; both are None where n is too small to say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: Annotated[int, Field(ge=0)]
    n: Annotated[int, Field(ge=0)]
    share: Share | None
    low: Share | None
    high: Share | None


class Backtest(BaseModel):
    """What the policy would have said one horizon before the last day, and what happened then."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of_day: int | None
    """The day of the calls; None where the history is shorter than the horizon."""
    until_day: int | None
    """The last day looked at: the last order-day of the history, or the day asked for."""
    precision: Proportion
    """Of those called at risk: who did not order within the horizon."""
    base_rate: Proportion
    """Of all with two or more order-days and not lapsed, whatever they were called: the same."""
    lapses_caught: Proportion
    """Of those of the base who lapsed by ``until_day``: who had been called at risk."""
    scored: Annotated[int, Field(ge=0)] = 0
    """Clients with a score on the day of the calls."""
    auc: Share | None = None
    """How well the scores ranked who would stay silent: 0.5 is chance, 1 is without a mistake."""
    calibration_error: Share | None = None
    """How far scores lay from the shares that ordered, over ten bins of equal size."""


def backtest(history: History, day: int, policy: Policy) -> Backtest:
    """Go back one horizon from the last order-day up to ``day``, call, and look what came true.

    Only order-days up to the day of the calls are known to them. Of orders that were corrected
    later only the last image is left, so the calls know those as they are today.
    """
    known = history.days.day[history.days.day <= day]
    if not known.size or known.max() - known.min() < policy.horizon_days:
        none = proportion(0, 0)
        return Backtest(
            as_of_day=None, until_day=None, precision=none, base_rate=none, lapses_caught=none
        )
    until = int(known.max())
    as_of = until - policy.horizon_days
    past = _up_to(history, as_of)
    found = assess_all(past, as_of, policy)
    base = (found.n > 1) & (found.state != LAPSED)
    called = found.state == AT_RISK
    silent = ~counted_between(history, as_of, until)
    lapsed = base & silent & (until - found.last > policy.lapse_days)
    scored = ~np.isnan(found.score)
    is_enough = int(scored.sum()) >= TOO_FEW
    return Backtest(
        as_of_day=as_of,
        until_day=until,
        precision=proportion(int((called & silent).sum()), int(called.sum())),
        base_rate=proportion(int((base & silent).sum()), int(base.sum())),
        lapses_caught=proportion(int((lapsed & called).sum()), int(lapsed.sum())),
        scored=int(scored.sum()),
        auc=auc(found.score[scored], silent[scored]) if is_enough else None,
        calibration_error=calibration_error(found.score[scored], silent[scored])
        if is_enough
        else None,
    )


def proportion(count: int, n: int) -> Proportion:
    """Return a share with its Wilson score interval at 95 % (E. B. Wilson, JASA 22, 1927)."""
    if n < TOO_FEW:
        return Proportion(count=count, n=n, share=None, low=None, high=None)
    share = count / n
    spread = Z_95 * sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2))
    centre = share + Z_95**2 / (2 * n)
    scale = 1 + Z_95**2 / n
    return Proportion(
        count=count,
        n=n,
        share=share,
        low=max(0.0, (centre - spread) / scale),
        high=min(1.0, (centre + spread) / scale),
    )


def _up_to(history: History, day: int) -> History:
    days = history.days
    known = np.flatnonzero(days.day <= day)
    return History(history.clients, OrderDays(*(column[known] for column in days)))
