"""How a client stands right now: there or erased, consenting or not, silent or back, due or not."""

from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

from common.clock import BusinessClock, day_of
from common.score.ledger import Ledger, counts, entry_of_order, order_days
from mailer.database import Connection
from mailer.episodes.deferral import Circumstances, Hindrance, Until, capped, held_back
from mailer.episodes.policies import Policies
from mailer.settings import Settings

ORDERS_READ = 50
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

ORDERED_SINCE = "an order was counted since"
CLIENT_GONE = "the client was erased"
NO_CONSENT = "the client does not consent"
SUPPRESSED = "the client's address is suppressed"
TEXT_GONE = "its text was erased"


@dataclass(frozen=True)
class Standing:
    """What Postgres says of an episode's client at one moment."""

    hindrance: Hindrance | None
    """Why no email may be written or sent at all."""
    cap: Hindrance | Until | None = None
    """What the frequency cap says."""
    held_back: Hindrance | Until | None = None
    """What the cap and the quiet hours say together."""
    was_final: bool = False
    """Whether a text of this episode was final once: it is kept, and never written twice."""
    auto_approve: bool = False
    """Whether the policy in force makes a checked text final."""
    policy_version: int = 0


@dataclass(frozen=True)
class Profile:
    """What a prompt may be made of, before it is cleaned."""

    first_name: str
    style_tags: list[str]
    categories: list[str]


class Days:
    """Business time, and days in the shop's time zone."""

    def __init__(self, clock: BusinessClock, settings: Settings) -> None:
        """Take the time from ``clock``."""
        self._clock = clock
        self.zone = settings.zone

    def now(self) -> datetime:
        """Return the business time now, in UTC."""
        return self._clock.now()

    def today(self) -> int:
        """Return the shop's day now, as days since 1970-01-01."""
        return day_of(self._clock.now(), self.zone)

    def of(self, moment: datetime) -> int:
        """Return the shop's day of a moment."""
        return day_of(moment, self.zone)


# One statement, since it is asked twice an email: the client with what else bears on the episode,
# and its orders. A day of slack, since the shop's days are not UTC's; the ledger's rules decide.
STANDING = """
    WITH who AS MATERIALIZED (
        SELECT c.consent, c.time_zone, is_suppressed(c.id) AS suppressed,
               own.written_as_of IS NOT NULL AS was_final,
               own.subject = '' AS text_gone,
               (SELECT max(id) FROM policies) AS policy,
               (SELECT max(other.written_as_of) FROM emails other
                WHERE other.client_id = c.id AND other.episode_id <> $2
                  AND ($4 <> 'written' OR (other.written_as_of, other.episode_id)
                                        < (own.written_as_of, own.episode_id))) AS last_email
        FROM clients c LEFT JOIN emails own ON own.episode_id = $2
        WHERE c.id = $1
    )
    SELECT who.*, o.id, o.version, o.amount, o.status,
           least(o.ordered_at, '9999-12-30Z'::timestamptz) AS ordered_at
    FROM who LEFT JOIN orders o
        ON o.client_id = $1 AND o.ordered_at >= ($3::date - 1)::timestamp AT TIME ZONE 'UTC'
"""


async def standing_of(
    conn: Connection, episode: asyncpg.Record, policies: Policies, days: Days
) -> Standing:
    """Read how the client of an episode (its row) stands, by the policy in force.

    Orders count by the same rules as in the score. Of other emails to the client, all count for a
    text that is yet to become final, and for a ``written`` one those that became final before.
    """
    rows = await conn.fetch(
        STANDING,
        episode["client_id"],
        episode["id"],
        episode["last_order_day"],
        episode["state"],
    )
    if not rows:
        return Standing(Hindrance("suppressed", CLIENT_GONE))
    client = rows[0]
    policy = await policies.version(conn, client["policy"])
    last = episode["last_order_day"].toordinal() - EPOCH_ORDINAL
    case = Circumstances(client["time_zone"], last, client["last_email"])
    now = days.now()
    ordered = _newest_day(rows, days, policy.ahead_days) > last
    return Standing(
        _hindrance(client, ordered=ordered),
        capped(case, policy, now, days.zone),
        held_back(case, policy, now, days.zone),
        client["was_final"],
        policy.auto_approve,
        client["policy"],
    )


def _hindrance(client: asyncpg.Record, *, ordered: bool) -> Hindrance | None:
    """Return why no email may be written, whatever the hour; a wish counts before an order."""
    if not client["consent"]:
        return Hindrance("suppressed", NO_CONSENT)
    if client["suppressed"]:
        return Hindrance("suppressed", SUPPRESSED)
    if client["text_gone"]:
        return Hindrance("suppressed", TEXT_GONE)
    return Hindrance("recovered", ORDERED_SINCE) if ordered else None


def _newest_day(orders: list[asyncpg.Record], days: Days, ahead_days: int) -> int:
    """Return the newest counted order-day among rows of orders; far in the past without any."""
    ledger = Ledger()
    for order in orders:
        if order["id"] is not None:
            cents = int(order["amount"] * 100)
            day = days.of(order["ordered_at"])
            entry = entry_of_order(order["version"], day, cents, order["status"])
            ledger.merge_order(order["id"], entry)
    return max((d.day for d in order_days(ledger, days.today(), ahead_days)), default=-(2**31))


async def profile_of(conn: Connection, client_id: int) -> Profile | None:
    """Read the few columns that a prompt is made of; None when the client is gone."""
    rows = await conn.fetch(
        """
        SELECT c.first_name, c.style_tags, o.category, o.amount, o.status
        FROM clients c LEFT JOIN LATERAL (
            SELECT category, amount, status, ordered_at, id FROM orders
            WHERE client_id = c.id ORDER BY ordered_at DESC, id DESC LIMIT $2
        ) o ON true
        WHERE c.id = $1 ORDER BY o.ordered_at DESC, o.id DESC
        """,
        client_id,
        ORDERS_READ,
    )
    if not rows:
        return None
    bought = [o for o in rows if o["category"] is not None]
    categories = [o["category"] for o in bought if counts(o["status"], int(o["amount"] * 100))]
    return Profile(rows[0]["first_name"], rows[0]["style_tags"], categories)
