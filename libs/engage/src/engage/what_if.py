"""Pure: what another policy would change, from the history alone. Nothing is told to anybody."""

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from common.score.policy import Policy
from common.score.sweep import STATES
from engage.history_columns import History
from engage.history_scores import AT_RISK, Assessments, assess_all
from engage.what_if_backtest import Backtest, backtest

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Mask = NDArray[np.bool_]


class Report(BaseModel):
    """The base of all that is reported."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Standing(Report):
    """How the shop stands on the day under one policy."""

    policy: Policy
    by_state: dict[str, Count]
    """Clients in each state, all states named."""
    at_risk: Count
    expected_precision: Share | None
    """Mean chance that a client at risk does not order within the horizon; None without any."""
    backtest: Backtest


class Emails(Report):
    """What would be written if the candidate came into force on the day."""

    entering: Count
    """Clients at risk under the candidate, and not under the present policy."""
    held_for_a_person: Count
    """Of these, those who crossed longer ago than ``hold_after_days``: nobody is written to by
    surprise, a person has to release them."""
    expected: float
    """Of the others, those not drawn into the candidate's holdout, as an expectation."""
    expected_if_all_released: float
    """The same with all who are held released."""
    cost_per_email: float | None
    expected_cost: float | None
    """None unless a cost per email was given: none is assumed."""


class Moved(Report):
    """One client whose state differs."""

    client_id: int
    before: str
    after: str
    score_before: float | None
    score_after: float | None


class WhatIf(Report):
    """The difference between two policies over the whole history, as of one day."""

    day: int
    """As of the end of this day, in days since 1970-01-01 in the shop's zone."""
    clients: Count
    last_order_day: int | None
    """The last order-day of the history up to the day."""
    changed_fields: dict[str, tuple[object, object]]
    """What the policies differ in: present and candidate value, by dotted name."""
    present: Standing
    candidate: Standing
    transitions: dict[str, dict[str, Count]]
    """Clients by state under the present policy, then under the candidate; zeros left out."""
    entering: Count
    leaving: Count
    states_changed: Count
    scores_changed: Count
    emails: Emails
    moved: list[Moved]
    """Clients whose state differs, those who enter at risk first, then those who leave."""
    moved_left_out: Count
    """How many more there are than were asked for."""


class Side(NamedTuple):
    """One policy and what it makes of the history."""

    policy: Policy
    found: Assessments


def compare(
    history: History,
    day: int,
    present: Policy,
    candidate: Policy,
    *,
    list_clients: int | None = 0,
    cost_per_email: float | None = None,
) -> WhatIf:
    """Assess the whole history under both policies on ``day`` and say how they differ.

    ``list_clients`` is how many of the clients whose state differs are named; None names all.
    """
    before = Side(present, assess_all(history, day, present))
    after = Side(candidate, assess_all(history, day, candidate))
    was, becomes = before.found.state, after.found.state
    entering = (becomes == AT_RISK) & (was != AT_RISK)
    leaving = (was == AT_RISK) & (becomes != AT_RISK)
    moved = was != becomes
    known = history.days.day[history.days.day <= day]
    chosen = _chosen(entering, leaving, moved)
    shown = chosen if list_clients is None else chosen[:list_clients]
    return WhatIf(
        day=day,
        clients=history.clients.size,
        last_order_day=int(known.max()) if known.size else None,
        changed_fields=differences(present, candidate),
        present=_standing(history, day, before),
        candidate=_standing(history, day, after),
        transitions=_transitions(was, becomes),
        entering=int(entering.sum()),
        leaving=int(leaving.sum()),
        states_changed=int(moved.sum()),
        scores_changed=int((~_same(before.found.score, after.found.score)).sum()),
        emails=_emails(entering, after, day, cost_per_email),
        moved=[_moved(history, before, after, int(i)) for i in shown],
        moved_left_out=chosen.size - shown.size,
    )


def differences(present: Policy, candidate: Policy) -> dict[str, tuple[object, object]]:
    """Return what two policies differ in besides the version, by dotted name."""
    one, other = _flat(present), _flat(candidate)
    return {
        name: (one[name], other[name])
        for name in one
        if name != "version" and one[name] != other[name]
    }


def _flat(policy: Policy) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in policy.model_dump().items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": each for inner, each in value.items()}
        else:
            flat[name] = value
    return flat


def _standing(history: History, day: int, side: Side) -> Standing:
    at_risk = side.found.state == AT_RISK
    tally = np.bincount(side.found.state, minlength=len(STATES)).tolist()
    return Standing(
        policy=side.policy,
        by_state=dict(zip(STATES, tally, strict=True)),
        at_risk=int(at_risk.sum()),
        expected_precision=float(1 - side.found.score[at_risk].mean()) if at_risk.any() else None,
        backtest=backtest(history, day, side.policy),
    )


def _emails(entering: Mask, after: Side, day: int, cost_per_email: float | None) -> Emails:
    """Expect one email of each client who enters, unless held back or held out.

    An episode's id comes from data, so clients who stay at risk are written to no second time.
    """
    policy = after.policy
    # The day is taken as ended: the mailer measures from the crossing day's first hour.
    held = entering & (day + 1 - after.found.crossing_day > policy.hold_after_days)
    written = 1 - policy.holdout_percent / 100
    expected = float((entering & ~held).sum()) * written
    return Emails(
        entering=int(entering.sum()),
        held_for_a_person=int(held.sum()),
        expected=expected,
        expected_if_all_released=float(entering.sum()) * written,
        cost_per_email=cost_per_email,
        expected_cost=None if cost_per_email is None else expected * cost_per_email,
    )


def _transitions(was: NDArray[np.int64], becomes: NDArray[np.int64]) -> dict[str, dict[str, int]]:
    size = len(STATES)
    table = np.bincount(was * size + becomes, minlength=size * size).reshape(size, size).tolist()
    return {
        STATES[i]: {STATES[j]: count for j, count in enumerate(row) if count}
        for i, row in enumerate(table)
        if any(row)
    }


def _chosen(entering: Mask, leaving: Mask, moved: Mask) -> NDArray[np.int64]:
    """Return who moves: those who enter, those who leave, the rest; each by client id."""
    groups = (entering, leaving, moved & ~entering & ~leaving)
    return np.concatenate([np.flatnonzero(group) for group in groups]).astype(np.int64)


def _moved(history: History, before: Side, after: Side, index: int) -> Moved:
    def score(side: Side) -> float | None:
        found = float(side.found.score[index])
        return None if np.isnan(found) else found

    return Moved(
        client_id=int(history.clients[index]),
        before=STATES[before.found.state[index]],
        after=STATES[after.found.state[index]],
        score_before=score(before),
        score_after=score(after),
    )


def _same(one: NDArray[np.float64], other: NDArray[np.float64]) -> Mask:
    same: Mask = (one == other) | (np.isnan(one) & np.isnan(other))
    return same
