"""Pure: one client's row, and what an event, a new policy or a new day makes of it.

Nothing here reads a clock or touches a store. The row is all that is remembered of a client; what
is to be told to the world is returned, and told before the row is written.
"""

from datetime import datetime, tzinfo
from typing import Literal, NamedTuple

import msgspec

from common.clock import day_of
from common.events import (
    ClientChanged,
    ClientErased,
    ClientScored,
    Data,
    EpisodeClosed,
    EpisodeOpened,
    EvidenceDay,
    OrderChanged,
    OrderRemoved,
    ScoreFeatures,
    ScoreParts,
    episode_id_of,
)
from common.score.ledger import Ledger, entry_of_order, entry_of_removal, order_days
from common.score.model import (
    EXPONENT_MAX,
    Assessment,
    Features,
    assess,
    parts_on,
    score_on,
)
from common.score.policy import Policy


class Row(msgspec.Struct, array_like=True):
    """All that is stored of one client. ``due`` and ``policy`` stand first: RowHead reads them."""

    due: int | None = None
    """The next business day on which a tick has something to do here."""
    policy: int = 0
    """The version of the policy of the last assessment; 0 before the first."""
    day: int | None = None
    """The business day of the last assessment."""
    last_day: int | None = None
    """The last counted order-day at the last assessment: it names the episode of this silence."""
    crossing_day: int | None = None
    """The first day at risk, as of the last assessment."""
    open: bool = False
    """Whether the episode of this silence was opened and not closed since."""
    ledger: Ledger = msgspec.field(default_factory=Ledger)


class RowHead(msgspec.Struct, array_like=True):
    """The first fields of a row: enough to rebuild the due-index without reading ledgers."""

    due: int | None = None
    policy: int = 0


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


Outcome = ClientScored | EpisodeOpened | EpisodeClosed | Forgotten
LaneData = ClientChanged | OrderChanged | OrderRemoved | ClientErased
Reason = Literal["order", "score", "erased"]


def moment(now: datetime, zone: tzinfo) -> Moment:
    """Return the moment of a business time in the shop's time zone."""
    return Moment(now, day_of(now, zone))


def merge(row: Row, data: Data, zone: tzinfo) -> bool:
    """Merge one domain event into the row's ledger; return whether it was news.

    Raises TypeError for data that no lane carries.
    """
    ledger = row.ledger
    match data:
        case OrderChanged():
            day = day_of(data.ordered_at, zone)
            cents = int(data.amount.scaleb(2))
            entry = entry_of_order(data.version, day, cents, data.status)
            return ledger.merge_order(data.order_id, entry)
        case OrderRemoved():
            return ledger.merge_order(data.order_id, entry_of_removal(data.version))
        case ClientChanged():
            return ledger.merge_client(data.version)
        case ClientErased():
            return ledger.erase(data.version)
    raise TypeError(f"no lane carries {type(data).__name__}")


def reassess(
    client_id: int, row: Row, at: Moment, rules: Rules, *, opens: bool = False
) -> list[Outcome]:
    """Assess a row whose ledger, day or policy changed: update it, return what is to be told.

    Only a tick may open an episode (``opens``), since only then is the ledger known to be whole.
    """
    if row.ledger.erased:
        return _forget(client_id, row, at, rules)
    result = assess(row.ledger, at.day, rules.policy)
    last = result.features.last if result.features else None
    told: list[Outcome] = _close(client_id, row, result, at, rules)
    row.policy, row.day = rules.policy.version, at.day
    row.last_day, row.crossing_day = last, result.crossing_day
    row.due = result.next_day
    if result.state == "at_risk" and not row.open:
        if opens:
            row.open = True
            told.append(_opened(client_id, row, result, at, rules))
        else:
            row.due = result.crossing_day
    told.append(_scored(client_id, row, result, at, rules))
    return told


def _close(client_id: int, row: Row, new: Assessment, at: Moment, rules: Rules) -> list[Outcome]:
    """End the episode of the row's last assessment where it no longer stands.

    A silence that ended is told whenever its crossing may have been acted on, flag or no flag: the
    flag may have been lost between the alert and the row. Too many are harmless.
    """
    known = row.last_day
    if known is None:
        return []
    last = new.features.last if new.features else None
    crossed = row.crossing_day is not None and row.crossing_day <= at.day
    reason: Reason
    if last != known:
        if not (row.open or crossed):
            return []
        reason = "order" if last is not None and last > known else "score"
    elif row.open and _recovered(new, at.day, rules.policy):
        reason = "score"
    else:
        return []
    row.open = False
    return [_closed(client_id, known, reason, at, rules)]


def _recovered(new: Assessment, day: int, policy: Policy) -> bool:
    """Whether late or corrected data lifted a client out of an open episode.

    A client silent for too long is at risk whatever the score says, so the score cannot end that.
    """
    if new.features is None or new.score is None or new.exit is None:
        return True
    return new.score > new.exit and day - new.features.last < policy.silence_max_days


def _forget(client_id: int, row: Row, at: Moment, rules: Rules) -> list[Outcome]:
    told: list[Outcome] = []
    crossed = row.crossing_day is not None and row.crossing_day <= at.day
    if row.last_day is not None and (row.open or crossed):
        told.append(_closed(client_id, row.last_day, "erased", at, rules))
    row.due = row.last_day = row.crossing_day = None
    row.open = False
    row.policy, row.day = rules.policy.version, at.day
    told.append(Forgotten(client_id))
    return told


def _closed(
    client_id: int, last_day: int, reason: Reason, at: Moment, rules: Rules
) -> EpisodeClosed:
    return EpisodeClosed(
        episode_id=episode_id_of(client_id, last_day),
        client_id=client_id,
        generation=rules.generation,
        policy_version=rules.policy.version,
        as_of=at.now,
        reason=reason,
    )


def _opened(
    client_id: int, row: Row, result: Assessment, at: Moment, rules: Rules
) -> EpisodeOpened:
    features, policy = result.features, rules.policy
    if features is None or result.score is None or result.entry is None:
        raise ValueError("an episode needs a score")
    if result.crossing_day is None:
        raise ValueError("an episode needs a crossing day")
    by_score = score_on(features, result.crossing_day, policy) <= result.entry
    return EpisodeOpened(
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
        parts=_parts(features, at.day, policy),
        evidence=[
            EvidenceDay(day=day, cents=cents, orders=list(orders))
            for day, cents, orders in order_days(row.ledger, at.day, policy.ahead_days)
        ],
    )


def _scored(client_id: int, row: Row, result: Assessment, at: Moment, rules: Rules) -> ClientScored:
    features, policy = result.features, rules.policy
    return ClientScored(
        client_id=client_id,
        generation=rules.generation,
        version=row.ledger.version,
        merged=row.ledger.merged,
        policy_version=policy.version,
        as_of=at.now,
        day=at.day,
        score=result.score,
        state=result.state,
        features=None
        if features is None
        else ScoreFeatures(
            frequency=features.frequency,
            value=features.value,
            n=features.n,
            first_day=features.first,
            last_day=features.last,
        ),
        parts=None if features is None else _parts(features, at.day, policy),
        entry=result.entry,
        exit=result.exit,
        crossing_day=result.crossing_day,
        lapse_day=result.lapse_day,
        episode_id=episode_id_of(client_id, features.last) if row.open and features else None,
    )


def _parts(features: Features, day: int, policy: Policy) -> ScoreParts:
    return ScoreParts(**parts_on(features, day, policy)._asdict())


def _value_on(features: Features, day: int, policy: Policy) -> float:
    """Return the decayed spend as of ``day``, in units of the shop's currency."""
    silence = max(0, day - features.last)
    decay: float = 2.0 ** -min(silence / policy.half_life_days, EXPONENT_MAX)
    return features.value * decay
