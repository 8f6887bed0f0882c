"""When an email must wait: frequency cap and quiet hours as pure functions of business time.

Quiet hours are spans of real time between two readings of the client's own clock. Where a clock is
put back or forward, the longer span counts: nobody is woken because of a law.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from common.clock import day_of
from common.policy import QuietHours, ShopPolicy
from mailer.episodes.states import State

DAY = timedelta(days=1)
QUIET = "quiet hours where the client lives"
NO_ZONE = "the client's time zone is unknown, so its quiet hours cannot be kept"
NEVER = "the frequency cap will not pass before the client lapses"


class Hindrance(NamedTuple):
    """Why an email may not be written or sent at all, and the state that follows from it."""

    target: State
    reason: str


class Until(NamedTuple):
    """Why an email must wait, and until which business time; then it is looked at again."""

    reason: str
    moment: datetime


@dataclass(frozen=True)
class Circumstances:
    """What of a client decides when an email may go on."""

    time_zone: str
    last_order_day: int
    """The episode's last counted order-day, as days since 1970-01-01."""
    last_email: datetime | None
    """Business time at which another email to this client became final last."""


def held_back(
    case: Circumstances, policy: ShopPolicy, now: datetime, shop_zone: tzinfo
) -> Hindrance | Until | None:
    """Return what keeps an email back at the business time ``now``: both rules at once.

    A cap that ends in quiet hours lasts until their end.
    """
    cap = capped(case, policy, now, shop_zone)
    hours = policy.emails.quiet_hours
    if isinstance(cap, Hindrance) or hours is None:
        return cap
    zone = zone_of(case.time_zone)
    if zone is None:
        return Until(NO_ZONE, now + DAY)
    reason, end = cap or Until(QUIET, now)
    awake = quiet_until(end, zone, hours) or end
    return Until(reason, awake) if awake > now else None


def capped(
    case: Circumstances, policy: ShopPolicy, now: datetime, shop_zone: tzinfo
) -> Hindrance | Until | None:
    """Return what the frequency cap says at the business time ``now``.

    One that will not pass before the client lapses, by the shop's days, ends the episode.
    """
    if case.last_email is None:
        return None
    end = case.last_email + policy.emails.cap_days * DAY
    if end <= now:
        return None
    if day_of(end, shop_zone) > case.last_order_day + policy.lapse_days:
        return Hindrance("suppressed", NEVER)
    return Until(f"frequency cap: one email in {policy.emails.cap_days} days", end)


def zone_of(name: str) -> ZoneInfo | None:
    """Return a time zone by its name; None when this machine knows none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def quiet_until(now: datetime, zone: tzinfo, hours: QuietHours) -> datetime | None:
    """Return the end, in UTC, of the quiet hours that ``now`` lies in; None outside of them."""
    end = now
    while (later := _span_end(end, zone, hours)) is not None:
        end = later  # spans overlap where a clock is put back between two that almost touch
    return end.astimezone(UTC) if end > now else None


def _span_end(now: datetime, zone: tzinfo, hours: QuietHours) -> datetime | None:
    """Return the end of a single span that ``now`` lies in."""
    today = now.astimezone(zone).date()
    overnight = DAY if hours.end < hours.begin else timedelta()
    for first in (today - 2 * DAY, today - DAY, today, today + DAY):
        begin = min(_readings(first, hours.begin, zone))
        end = max(_readings(first + overnight, hours.end, zone))
        if begin <= now < end:
            return end
    return None


def _readings(day: date, reading: time, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return both moments that a reading of the clock may mean; nearly always they are the same.

    A reading that a clock skips, put forward, means one by the time before and one by that after.
    """
    local = datetime.combine(day, reading, zone)
    return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
