"""How a client stands right now: there or erased, consenting or not, silent or back."""

from dataclasses import dataclass
from datetime import date, datetime

from common.clock import BusinessClock, day_of
from common.score.ledger import Ledger, counts, entry_of_order, order_days
from mailer.database import Connection
from mailer.settings import Settings
from mailer.states import State

ORDERS_READ = 50
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

ORDERED_SINCE = "an order was counted since"
CLIENT_GONE = "the client was erased"
NO_CONSENT = "the client does not consent"


@dataclass(frozen=True)
class Standing:
    """What Postgres says of a client at one moment."""

    present: bool
    consent: bool
    newest_day: int | None
    """The newest counted order-day after the episode's last one, if there is one."""

    @property
    def hindrance(self) -> tuple[State, str] | None:
        """Why no email may be written, and the state that follows from it."""
        if not self.present:
            return "suppressed", CLIENT_GONE
        if not self.consent:
            return "suppressed", NO_CONSENT
        if self.newest_day is not None:
            return "recovered", ORDERED_SINCE
        return None


@dataclass(frozen=True)
class Profile:
    """What a prompt may be made of, before it is cleaned."""

    first_name: str
    style_tags: list[str]
    categories: list[str]


class Days:
    """Days in the shop's time zone, by the business clock."""

    def __init__(self, clock: BusinessClock, settings: Settings) -> None:
        """Take the time from ``clock``."""
        self._clock = clock
        self.zone = settings.zone

    def today(self) -> int:
        """Return the shop's day now, as days since 1970-01-01."""
        return day_of(self._clock.now(), self.zone)

    def of(self, moment: datetime) -> int:
        """Return the shop's day of a moment."""
        return day_of(moment, self.zone)


async def standing_of(
    conn: Connection, client_id: int, last_order_day: date, days: Days, ahead_days: int
) -> Standing:
    """Read a client's standing; orders count by the same rules as in the score."""
    consent = await conn.fetchval("SELECT consent FROM clients WHERE id = $1", client_id)
    if consent is None:
        return Standing(present=False, consent=False, newest_day=None)
    # A day of slack, since the shop's days are not UTC's; the ledger's rules decide exactly.
    orders = await conn.fetch(
        """
        SELECT id, version, amount, status,
               least(ordered_at, '9999-12-30Z'::timestamptz) AS ordered_at
        FROM orders
        WHERE client_id = $1 AND ordered_at >= ($2::date - 1)::timestamp AT TIME ZONE 'UTC'
        """,
        client_id,
        last_order_day,
    )
    ledger = Ledger()
    for order in orders:
        cents = int(order["amount"] * 100)
        day = days.of(order["ordered_at"])
        ledger.merge_order(
            order["id"], entry_of_order(order["version"], day, cents, order["status"])
        )
    last = last_order_day.toordinal() - EPOCH_ORDINAL
    newer = [d.day for d in order_days(ledger, days.today(), ahead_days) if d.day > last]
    return Standing(present=True, consent=consent, newest_day=max(newer, default=None))


async def profile_of(conn: Connection, client_id: int) -> Profile | None:
    """Read the few columns that a prompt is made of; None when the client is gone."""
    row = await conn.fetchrow("SELECT first_name, style_tags FROM clients WHERE id = $1", client_id)
    if row is None:
        return None
    bought = await conn.fetch(
        "SELECT category, amount, status FROM orders WHERE client_id = $1"
        " ORDER BY ordered_at DESC, id DESC LIMIT $2",
        client_id,
        ORDERS_READ,
    )
    categories = [o["category"] for o in bought if counts(o["status"], int(o["amount"] * 100))]
    return Profile(row["first_name"], row["style_tags"], categories)
