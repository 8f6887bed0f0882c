"""The work queue in Postgres: claims with a lease and a fencing token, heartbeats, lost leases.

Leases run on the database's wall clock, the one clock that all workers share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import asyncpg

from mailer import calls, ledger
from mailer.database import Connection, Pool
from mailer.ledger import Change
from mailer.rules import CLAIMS_LOST_MAX

CLAIMED = "claimed by a worker"
LEASE_LOST = "the worker's lease ran out"
REAPED_MAX = 100


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


async def claim(pool: Pool, limit: int, lease_s: float) -> list[Claim]:
    """Claim up to ``limit`` pending episodes that are due, the most valuable first."""
    async with pool.acquire() as conn, conn.transaction():
        due = await conn.fetch(
            """
            SELECT id FROM episodes
            WHERE state = 'pending' AND (next_try_at IS NULL OR next_try_at <= clock_timestamp())
            ORDER BY value_at_risk DESC, id LIMIT $1
            FOR UPDATE SKIP LOCKED
            """,
            limit,
        )
        if not due:
            return []
        change = Change("pending", "writing", CLAIMED, attempts=1, lease_s=lease_s)
        rows = await ledger.move(conn, [row["id"] for row in due], change)
        lost = await _times_lost(conn, [row["id"] for row in rows])
        return [_claim_of(row, lost.get(row["id"], 0)) for row in rows]


async def extend(pool: Pool, held: Sequence[Claim], lease_s: float) -> None:
    """Extend the leases of claims that are still held; lost ones are left alone."""
    await pool.execute(
        """
        UPDATE episodes SET lease_until = clock_timestamp() + make_interval(secs => $3)
        FROM unnest($1::text[], $2::bigint[]) AS held (id, token)
        WHERE episodes.id = held.id AND lease_token = held.token AND state = 'writing'
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


async def lock_held(conn: Connection, claim: Claim) -> bool:
    """Lock the claimed episode's row; whether the claim still holds."""
    row = await ledger.lock(conn, claim.episode_id)
    return bool(row and row["state"] == "writing" and row["lease_token"] == claim.token)


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
    )
