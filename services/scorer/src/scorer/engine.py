"""Pure: one client's row, and what an event, a new policy or a new day makes of it.

Nothing here reads a clock or touches a store. The row is all that is remembered of a client; what
is to be told to the world is returned, and told before the row is written.
"""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from common.clock import day_of
from common.score.calendar import calendar_of
from common.score.ledger import order_days
from common.score.model import Assessment
from common.score.policy import Policy
from common.wire import ClientImage, LaneImage, OrderImage, RemovalImage
from scorer.merging import erase, merge_client, merge_order
from scorer.orders import NEVER
from scorer.outcomes import Forgotten, Moment, Outcome, Reason, Rules, closed, opened, scored
from scorer.rows import Row
from scorer.runs import assess_many

__all__ = ["Forgotten", "Moment", "Outcome", "Rules", "merge", "moment", "reassess_many"]


def moment(now: datetime, zone: tzinfo) -> Moment:
    """Return the moment of a business time in the shop's time zone."""
    return Moment(now, day_of(now, zone))


def merge(row: Row, image: LaneImage, zone: tzinfo) -> bool:
    """Merge one image of a lane into the row's ledger; return whether it was news."""
    if type(image) is OrderImage:
        cents = image.cents if image.counts else 0
        day = calendar_of(zone).day(image.ordered_at) if cents else NEVER
        return merge_order(row, image.order_id, image.version, removed=False, day=day, cents=cents)
    if type(image) is RemovalImage:
        return merge_order(row, image.order_id, image.version, removed=True, day=NEVER, cents=0)
    if type(image) is ClientImage:
        return merge_client(row, image.version)
    return erase(row, image.version)


SILENT_DAYS = 3
"""Order-days before the last whose silences a generation ends anew when it begins to speak."""


def reassess_many(
    items: Sequence[tuple[int, Row]],
    at: Moment,
    rules: Rules,
    *,
    opens: bool = False,
    takes_over: bool = False,
) -> list[Outcome]:
    """Assess rows whose ledger, day or policy changed: update them, return what is to be told.

    Only a tick may open an episode (``opens``), since only then is the ledger known to be whole.
    A generation that begins to speak (``takes_over``) tells what may have ended in its silence.
    What is told of a client stands together, in the order in which it must be sent.
    """
    told: list[Outcome] = []
    living = []
    for client_id, row in items:
        if row.erased_version and row.erased:
            if takes_over:
                told.append(closed(client_id, row.last_day or 0, "erased", at, rules))
            told += _forget(client_id, row, at, rules)
        else:
            living.append((client_id, row))
    results = assess_many([row for _, row in living], at.day, rules.policy)
    for (client_id, row), result in zip(living, results, strict=True):
        if takes_over:
            told += _ended_in_silence(client_id, row, result, at, rules)
        if row.last_day is not None:
            told += _close(client_id, row, result, at, rules)
        row.policy, row.day = rules.policy.version, at.day
        row.last_day = result.features.last if result.features else None
        row.crossing_day = result.crossing_day
        row.due = result.next_day
        if result.state == "at_risk" and not row.open:
            if opens:
                row.open = True
                told.append(opened(client_id, row, result, at, rules))
            else:
                row.due = result.crossing_day
        told.append(scored(client_id, row, result, at, rules))
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
    return [closed(client_id, known, reason, at, rules)]


def _ended_in_silence(
    client_id: int, row: Row, new: Assessment, at: Moment, rules: Rules
) -> list[Outcome]:
    """End the silences that the former generation may have opened and not seen ending.

    It stopped reading at some point before this one spoke, and what this one learned in between was
    told by nobody. Too many are harmless: an episode that was never opened has no end.
    """
    days = order_days(row.ledger, at.day, rules.policy.ahead_days)
    told: list[Outcome] = [
        closed(client_id, day.day, "order", at, rules) for day in days[-1 - SILENT_DAYS : -1]
    ]
    if days and new.state != "at_risk" and _recovered(new, at.day, rules.policy):
        told.append(closed(client_id, days[-1].day, "score", at, rules))
    return told


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
        told.append(closed(client_id, row.last_day, "erased", at, rules))
    row.due = row.last_day = row.crossing_day = None
    row.open = False
    row.policy, row.day = rules.policy.version, at.day
    told.append(Forgotten(client_id))
    return told
