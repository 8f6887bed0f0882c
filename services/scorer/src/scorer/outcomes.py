"""Pure: what there is to tell of a client, built from its row and its assessment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from msgspec import Raw

from common.events import episode_id_of
from common.score.ledger import OrderDay, order_days
from common.score.model import Assessment, Features, decay_over, score_on
from common.score.policy import Policy
from common.told import Closed, Evidence, Opened, Scored
from common.told import Features as ToldFeatures
from common.told import Parts as ToldParts
from scorer.rows import Row

EVIDENCE_ORDERS_MAX = 10_000
"""Orders that an opening names: 400 kB at most, and a broker takes a record of 1 MB."""


class Rules(NamedTuple):
    """What every assessment needs besides the row."""

    policy: Policy
    generation: int


class Moment(NamedTuple):
    """A point of business time, and the shop's calendar day that it falls on."""

    now: datetime
    day: int


class Forgotten(NamedTuple):
    """A client of whom nothing is to be told any more: a tombstone on the scores."""

    client_id: int


Outcome = Scored | Opened | Closed | Forgotten
Reason = Literal["order", "score", "erased"]


def closed(client_id: int, last_day: int, reason: Reason, at: Moment, rules: Rules) -> Closed:
    return Closed(
        episode_id=episode_id_of(client_id, last_day),
        client_id=client_id,
        generation=rules.generation,
        policy_version=rules.policy.version,
        as_of=at.now,
        reason=reason,
    )


def opened(client_id: int, row: Row, result: Assessment, at: Moment, rules: Rules) -> Opened:
    features, policy = result.features, rules.policy
    if features is None or result.score is None or result.entry is None:
        raise ValueError("an episode needs a score")
    if result.crossing_day is None or result.parts is None:
        raise ValueError("an episode needs a crossing day and parts")
    by_score = score_on(features, result.crossing_day, policy) <= result.entry
    return Opened(
        episode_id=episode_id_of(client_id, features.last),
        client_id=client_id,
        generation=rules.generation,
        policy_version=policy.version,
        as_of=at.now,
        last_order_day=features.last,
        crossing_day=result.crossing_day,
        cause="score" if by_score else "silence",
        score=result.score,
        entry=result.entry,
        value=_value_on(features, at.day, policy),
        parts=ToldParts(*result.parts),
        evidence=_evidence(order_days(row.ledger, at.day, policy.ahead_days)),
    )


def scored(client_id: int, row: Row, result: Assessment, at: Moment, rules: Rules) -> Scored:
    """Tell a client's score, with all that is needed to recompute it on another day."""
    features, parts = result.features, result.parts
    return Scored(
        client_id,
        rules.generation,
        row.version,
        Raw(b"[%b]" % row.merged),
        rules.policy.version,
        at.now,
        at.day,
        result.score,
        result.state,
        None if features is None else ToldFeatures(*features),
        None if parts is None else ToldParts(*parts),
        result.entry,
        result.exit,
        result.crossing_day,
        result.lapse_day,
        episode_id_of(client_id, features.last) if row.open and features else None,
    )


def _evidence(days: Sequence[OrderDay]) -> list[Evidence]:
    """Return the newest order-days, oldest first, as many as one record can hold."""
    left = EVIDENCE_ORDERS_MAX
    kept: list[Evidence] = []
    for day, cents, orders in reversed(days):
        left -= len(orders)
        if left < 0:
            break
        kept.append(Evidence(day, cents, orders))
    return kept[::-1]


def _value_on(features: Features, day: int, policy: Policy) -> float:
    """Return the decayed spend as of ``day``, in units of the shop's currency."""
    return features.value * decay_over(max(0, day - features.last), policy.half_life_days)
