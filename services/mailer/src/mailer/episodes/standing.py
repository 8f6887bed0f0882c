"""How a client stands right now: there or erased, consenting or not, silent or back, due or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from common.clock import BusinessClock, day_of, number_of
from common.policy import ShopPolicy
from common.score.ledger import Ledger, counts, entry_of_order, order_days
from mailer.database import Connection
from mailer.episodes.deferral import Circumstances, Hindrance, Until, capped, held_back
from mailer.episodes.policies import Policies
from mailer.settings import Settings

ORDERS_READ = 50

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


# One statement for many, since it is asked twice an email: each client with what else bears on the
# episode, and its orders. A day of slack, since the shop's days are not UTC's; the ledger's rules
# decide. OFFSET 0 keeps to one look into an index for each, however large the tables have grown
# since the statement was planned.
STANDING = """
    WITH asked AS MATERIALIZED (
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::date[], $4::text[])
            AS one (episode_id, client_id, last_order_day, state)
    ), who AS MATERIALIZED (
        SELECT asked.episode_id, asked.client_id, asked.last_order_day,
               c.consent, c.time_zone, is_suppressed(c.id) AS suppressed,
               own.written_as_of IS NOT NULL AS was_final,
               own.subject = '' AS text_gone,
               (SELECT max(id) FROM policies) AS policy,
               (SELECT max(other.written_as_of) FROM emails other
                WHERE other.client_id = c.id AND other.episode_id <> asked.episode_id
                  AND (asked.state <> 'written' OR (other.written_as_of, other.episode_id)
                                        < (own.written_as_of, own.episode_id))) AS last_email
        FROM asked
        CROSS JOIN LATERAL (
            SELECT id, consent, time_zone FROM clients WHERE id = asked.client_id OFFSET 0
        ) c LEFT JOIN LATERAL (
            SELECT episode_id, written_as_of, subject FROM emails
            WHERE episode_id = asked.episode_id OFFSET 0
        ) own ON true
    )
    SELECT who.*, o.*
    FROM who LEFT JOIN LATERAL (
        SELECT id, version, amount, status,
               least(ordered_at, '9999-12-30Z'::timestamptz) AS ordered_at
        FROM orders WHERE client_id = who.client_id
            AND ordered_at >= (who.last_order_day - 1)::timestamp AT TIME ZONE 'UTC' OFFSET 0
    ) o ON true
"""


async def standing_of(
    conn: Connection, episode: asyncpg.Record, policies: Policies, days: Days
) -> Standing:
    """Read how the client of one episode (its row) stands, as ``standings_of`` does."""
    return (await standings_of(conn, [episode], policies, days))[episode["id"]]


async def standings_of(
    conn: Connection, episodes: Sequence[asyncpg.Record], policies: Policies, days: Days
) -> dict[str, Standing]:
    """Read how the clients of episodes (their rows) stand, by episode and the policy in force.

    Orders count by the same rules as in the score. Of other emails to the client, all count for a
    text that is yet to become final, and for a ``written`` one those that became final before.
    """
    found = await conn.fetch(
        STANDING,
        [episode["id"] for episode in episodes],
        [episode["client_id"] for episode in episodes],
        [episode["last_order_day"] for episode in episodes],
        [episode["state"] for episode in episodes],
    )
    rows: dict[str, list[asyncpg.Record]] = {episode["id"]: [] for episode in episodes}
    for row in found:
        rows[row["episode_id"]].append(row)
    policy = await policies.version(conn, found[0]["policy"]) if found else None
    return {
        episode_id: _standing(of_one, policy, days)
        if of_one and policy is not None
        else Standing(Hindrance("suppressed", CLIENT_GONE))
        for episode_id, of_one in rows.items()
    }


def _standing(rows: Sequence[asyncpg.Record], policy: ShopPolicy, days: Days) -> Standing:
    client = rows[0]
    last = number_of(client["last_order_day"])
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


def _newest_day(orders: Sequence[asyncpg.Record], days: Days, ahead_days: int) -> int:
    """Return the newest counted order-day among rows of orders; far in the past without any."""
    ledger = Ledger()
    for order in orders:
        if order["id"] is not None:
            cents = int(order["amount"] * 100)
            day = days.of(order["ordered_at"])
            entry = entry_of_order(order["version"], day, cents, order["status"])
            ledger.merge_order(order["id"], entry)
    return max((d.day for d in order_days(ledger, days.today(), ahead_days)), default=-(2**31))


async def profiles_of(conn: Connection, client_ids: Sequence[int]) -> dict[int, Profile]:
    """Read the few columns that prompts are made of, by client; none of those who are gone."""
    found = await conn.fetch(
        """
        SELECT c.id, c.first_name, c.style_tags, o.category, o.amount, o.status
        FROM clients c LEFT JOIN LATERAL (
            SELECT category, amount, status, ordered_at, id FROM orders
            WHERE client_id = c.id ORDER BY ordered_at DESC, id DESC LIMIT $2
        ) o ON true
        WHERE c.id = ANY ($1) ORDER BY c.id, o.ordered_at DESC, o.id DESC
        """,
        list(client_ids),
        ORDERS_READ,
    )
    profiles: dict[int, Profile] = {}
    for row in found:
        known = profiles.setdefault(
            row["id"], Profile(row["first_name"], row["style_tags"], categories=[])
        )
        if row["category"] is not None and counts(row["status"], int(row["amount"] * 100)):
            known.categories.append(row["category"])
    return profiles
