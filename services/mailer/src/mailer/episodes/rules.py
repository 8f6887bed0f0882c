"""The mailer's rules as pure functions: who is held out, what is held, and how long to wait."""

import hashlib
from datetime import datetime, timedelta, tzinfo

from common.clock import date_of
from common.score.policy import Policy
from mailer.episodes.states import State

HOLD_TICKS_MIN = 5
"""A crossing told within this many tick periods is never held: ticks take time, too."""
ATTEMPTS_MAX = 5
"""Claims of one episode that may end in a transient error of the model."""
CLAIMS_LOST_MAX = 20
"""Claims of one episode whose worker may go away: more than restarts explain."""
WAIT_MAX_S = 120.0
RETRY_AFTER_MAX_S = 300.0
"""We wait as long as we are asked to, up to this."""

HELD_OUT = "drawn into the holdout"
HELD = "fell at risk too long ago to write unasked"
NEW = "fell at risk"


def in_holdout(salt: str, client_id: int, percent: float) -> bool:
    """Draw a client into the standing holdout: the same answer for ever, for all its episodes.

    Raising ``percent`` only adds clients, lowering it only lets some go.
    """
    digest = hashlib.sha256(f"{salt}:{client_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") * 100 < percent * 2**64


def beginning(
    policy: Policy,
    *,
    held_out: bool,
    crossing_day: int,
    as_of: datetime,
    zone: tzinfo,
    tick: timedelta,
) -> tuple[State, str]:
    """Return the state in which a new episode begins, and why.

    ``tick`` is the tick period in business time; ``as_of`` the business time of the opening tick.
    """
    if held_out:
        return "held_out", HELD_OUT
    crossed = datetime.combine(date_of(crossing_day), datetime.min.time(), zone)
    bound = max(timedelta(days=policy.hold_after_days), HOLD_TICKS_MIN * tick)
    return ("held", HELD) if as_of - crossed > bound else ("pending", NEW)


def wait_s(attempt: int, base_s: float, draw: float, asked_s: float | None) -> float:
    """Return the wait in seconds before the next attempt.

    It doubles from ``base_s`` with each ``attempt`` (from 1) up to a bound, spread by ``draw`` in
    0..1 so that many do not return at once, and is never shorter than the wait asked for.
    """
    backoff = min(WAIT_MAX_S, base_s * 2.0 ** min(attempt - 1, 20)) * (0.5 + draw)
    return max(backoff, min(asked_s or 0.0, RETRY_AFTER_MAX_S))
