"""The work queue in Postgres: claims with a lease and a fencing token, heartbeats, lost leases.

Leases run on the database's wall clock, the one clock that all workers share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import asyncpg

from common.clock import number_of
from common.policy import ShopPolicy
from mailer.database import Connection, Pool
from mailer.episodes import ledger
from mailer.episodes.deferral import Circumstances, Hindrance, Until, held_back
from mailer.episodes.ledger import Change
from mailer.episodes.policies import Policies
from mailer.episodes.rules import CLAIMS_LOST_MAX
from mailer.episodes.standing import Days
from mailer.model import calls

CLAIMED = "claimed by a worker"
LEASE_LOST = "the worker's lease ran out"
STOPPING = "released: the mailer stops"
REAPED_MAX = 100
LOOKED_AT = 100
LOOKS_MAX = 10
"""Where a whole backlog is to be deferred, a claim takes so many looks at so many rows."""


@dataclass(frozen=True)
class Claim:
    """One episode in the hands of one worker, until the lease runs out."""

    episode_id: str
    client_id: int
    token: int
    """Grows with each claim: the result of an older claim is refused."""
    attempt: int
    lost: int
    """How many of the attempts ended with a lost lease: those say nothing about the model."""
    last_order_day: date
    policy_version: int
    traceparent: str | None = None
    """The trace that the writing goes on with."""


async def claim(
    pool: Pool, limit: int, lease_s: float, policies: Policies, days: Days
) -> list[Claim]:
    """Claim up to ``limit`` pending episodes that are due, the most valuable first.

    Those that the frequency cap or quiet hours hold back are deferred instead, in business time.
    """
    for look in range(LOOKS_MAX):
        async with pool.acquire() as conn, conn.transaction():
            due = await conn.fetch(DUE, max(limit, LOOKED_AT) if look else limit)
            if not due:
                return []
            policy = await policies.current(conn)
            free = await _defer(conn, due, policy, days)
            if free:
                change = Change("pending", "writing", CLAIMED, attempts=1, lease_s=lease_s)
                rows = await ledger.move(conn, free[:limit], change)
                lost = await _times_lost(conn, [row["id"] for row in rows])
                return [_claim_of(row, lost.get(row["id"], 0)) for row in rows]
    return []


DUE = """
    SELECT e.id, e.client_id, e.last_order_day, c.time_zone,
           (SELECT max(other.written_as_of) FROM emails other
            WHERE other.client_id = e.client_id AND other.episode_id <> e.id) AS last_email
    FROM episodes e LEFT JOIN clients c ON c.id = e.client_id
    WHERE e.state = 'pending' AND (e.next_try_at IS NULL OR e.next_try_at <= clock_timestamp())
    ORDER BY e.value_at_risk DESC, e.id LIMIT $1
    FOR UPDATE OF e SKIP LOCKED
"""


async def _defer(
    conn: Connection, due: Sequence[asyncpg.Record], policy: ShopPolicy, days: Days
) -> list[str]:
    """Hold back those episodes whose time has not come; return the others, in their order."""
    now, free = days.now(), []
    waiting: dict[Change, list[str]] = {}
    for row in due:
        back = None
        if row["time_zone"] is not None:  # the next look says of a client that it is gone
            last = number_of(row["last_order_day"])
            case = Circumstances(row["time_zone"], last, row["last_email"])
            back = held_back(case, policy, now, days.zone)
        match back:
            case None:
                free.append(row["id"])
            case Until(reason, moment):
                waiting.setdefault(Change("pending", "deferred", reason, until=moment), []).append(
                    row["id"]
                )
            case Hindrance(target, reason):
                waiting.setdefault(Change("pending", target, reason), []).append(row["id"])
    for change, ids in waiting.items():
        await ledger.move(conn, ids, change)
    return free


async def extend(pool: Pool, held: Sequence[Claim], lease_s: float) -> None:
    """Extend the leases of claims that are still held; lost ones are left alone.

    So is one whose result is just being written: nobody waits for anybody here.
    """
    await pool.execute(
        """
        WITH held AS MATERIALIZED (
            SELECT e.id FROM episodes e, unnest($1::text[], $2::bigint[]) AS held (id, token)
            WHERE e.id = ANY ($1) AND e.id = held.id
              AND e.lease_token = held.token AND e.state = 'writing'
            FOR NO KEY UPDATE OF e SKIP LOCKED
        )
        UPDATE episodes SET lease_until = clock_timestamp() + make_interval(secs => $3)
        FROM held WHERE episodes.id = held.id
        """,
        [c.episode_id for c in held],
        [c.token for c in held],
        lease_s,
    )


async def reap(pool: Pool) -> int:
    """Take back claims whose lease ran out; return how many were."""
    async with pool.acquire() as conn, conn.transaction():
        lost = await conn.fetch(
            "SELECT id FROM episodes"
            " WHERE state = 'writing' AND lease_until < clock_timestamp()"
            " ORDER BY lease_until LIMIT $1 FOR UPDATE SKIP LOCKED",
            REAPED_MAX,
        )
        if not lost:
            return 0
        await calls.lose(conn, [row["id"] for row in lost])
        before = await _times_lost(conn, [row["id"] for row in lost])
        for row in lost:
            change = Change("writing", "pending", LEASE_LOST)
            if before.get(row["id"], 0) + 1 >= CLAIMS_LOST_MAX:
                change = Change("writing", "failed", f"{CLAIMS_LOST_MAX} workers went away over it")
            await ledger.move_one(conn, row["id"], change)
    return len(lost)


HELD = """
    SELECT id, client_id, last_order_day, state, lease_token FROM episodes
    WHERE id = ANY ($1) AND state = 'writing' ORDER BY id
"""


async def still_held(conn: Connection, held: Sequence[Claim]) -> dict[Claim, asyncpg.Record]:
    """Return the rows, unlocked, of the claimed episodes whose claims still hold."""
    return _held(held, await conn.fetch(HELD, _ids(held)))


async def lock_held(conn: Connection, held: Sequence[Claim]) -> dict[Claim, asyncpg.Record]:
    """Lock the rows of claimed episodes, in one order, and return those whose claims still hold."""
    return _held(held, await conn.fetch(f"{HELD} FOR UPDATE", _ids(held)))


def _ids(held: Sequence[Claim]) -> list[str]:
    return [one.episode_id for one in held]


def _held(held: Sequence[Claim], rows: list[asyncpg.Record]) -> dict[Claim, asyncpg.Record]:
    by_token = {(row["id"], row["lease_token"]): row for row in rows}
    found = {one: by_token.get((one.episode_id, one.token)) for one in held}
    return {one: row for one, row in found.items() if row is not None}


async def _times_lost(conn: Connection, episode_ids: list[str]) -> dict[str, int]:
    """Count the claims that workers lost, by episode, since its attempts began anew."""
    rows = await conn.fetch(
        f"""
        SELECT episode_id, count(*) AS times FROM episode_history counted
        WHERE episode_id = ANY ($1) AND reason = $2 AND at > {calls.BEGAN_AFRESH}
        GROUP BY episode_id
        """,  # noqa: S608 - a constant
        episode_ids,
        LEASE_LOST,
    )
    return {row["episode_id"]: row["times"] for row in rows}


def _claim_of(row: asyncpg.Record, lost: int) -> Claim:
    return Claim(
        row["id"],
        row["client_id"],
        row["lease_token"],
        row["attempts"],
        lost,
        row["last_order_day"],
        row["policy_version"],
        row["traceparent"],
    )
