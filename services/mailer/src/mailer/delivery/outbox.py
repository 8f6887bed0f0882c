"""The outbox in Postgres: final texts in the hands of one sender each, by lease and fencing token.

Leases run on the database's wall clock. A row is ``written`` until the server waits for the data of
its message; that it becomes ``sending`` is committed before the first byte of it goes out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from mailer.database import Connection, Pool
from mailer.episodes import ledger
from mailer.episodes.ledger import Change

HANDED_OVER = "handed to the mail server"
WENT_AWAY = "the mailer went away while sending it: nobody knows whether it arrived"
REAPED_MAX = 100
NOT_SENT = "not sent"
"""The outcome of a try that ended before the message's data went out."""


@dataclass(frozen=True)
class Parcel:
    """One final text in the hands of one sender, until the lease runs out."""

    episode_id: str
    client_id: int
    token: int
    """Grows with each claim, and once more when sending begins."""
    traceparent: str | None = None
    """The trace that the sending goes on with."""


async def claim(pool: Pool, limit: int, lease_s: float, now: datetime) -> list[Parcel]:
    """Claim up to ``limit`` final texts that are due at business time ``now``, by value at risk."""
    rows = await pool.fetch(
        """
        WITH due AS MATERIALIZED (
            SELECT id FROM episodes
            WHERE state = 'written'
              AND (lease_until IS NULL OR lease_until < clock_timestamp())
              AND (next_try_at IS NULL OR next_try_at <= clock_timestamp())
              AND (until IS NULL OR until <= $3)
            ORDER BY value_at_risk DESC, id LIMIT $1
            FOR UPDATE SKIP LOCKED
        )
        UPDATE episodes e SET lease_token = lease_token + 1,
                              lease_until = clock_timestamp() + make_interval(secs => $2)
        FROM due WHERE e.id = due.id
        RETURNING e.id, e.client_id, e.lease_token, e.value_at_risk, e.traceparent
        """,
        limit,
        lease_s,
        now,
    )
    rows.sort(key=lambda row: (-row["value_at_risk"], row["id"]))
    return [
        Parcel(row["id"], row["client_id"], row["lease_token"], row["traceparent"]) for row in rows
    ]


async def extend(pool: Pool, held: Sequence[Parcel], lease_s: float) -> None:
    """Extend the leases of parcels that are still held; lost ones are left alone."""
    await pool.execute(
        """
        UPDATE episodes SET lease_until = clock_timestamp() + make_interval(secs => $3)
        FROM unnest($1::text[], $2::bigint[]) AS held (id, token)
        WHERE episodes.id = held.id AND lease_until IS NOT NULL
          AND (state = 'written' AND lease_token = held.token
               OR state = 'sending' AND lease_token = held.token + 1)
        """,
        [parcel.episode_id for parcel in held],
        [parcel.token for parcel in held],
        lease_s,
    )


async def reap(pool: Pool) -> int:
    """Call sends uncertain whose lease ran out; return how many there were."""
    async with pool.acquire() as conn, conn.transaction():
        lost = await conn.fetch(
            "SELECT id FROM episodes WHERE state = 'sending' AND lease_until < clock_timestamp()"
            " ORDER BY lease_until LIMIT $1 FOR UPDATE SKIP LOCKED",
            REAPED_MAX,
        )
        ids = [row["id"] for row in lost]
        await ledger.move(conn, ids, Change("sending", "uncertain", WENT_AWAY))
    return len(ids)


async def lock_held(conn: Connection, parcel: Parcel) -> asyncpg.Record | None:
    """Lock the row of a text that is still ``written``, and still ours; None when it is not.

    The caller has locked the client, if it does at all.
    """
    row = await ledger.lock(conn, parcel.episode_id)
    if row is None or row["state"] != "written" or row["lease_token"] != parcel.token:
        return None
    # An episode that left this state and came back has no lease, though the token is the same.
    held = await conn.fetchval(
        "SELECT lease_until > clock_timestamp() FROM episodes WHERE id = $1", parcel.episode_id
    )
    return row if held else None


async def give_back(
    conn: Connection, parcel: Parcel, reason: str | None = None, wait_s: float = 0.0
) -> None:
    """End the claim on a row that ``lock_held`` gave; it is due again after ``wait_s`` seconds."""
    if reason is not None:
        await ledger.restate(conn, parcel.episode_id, reason, ledger.MAILER)
    await conn.execute(
        "UPDATE episodes SET lease_until = NULL,"
        " next_try_at = clock_timestamp() + make_interval(secs => $2) WHERE id = $1",
        parcel.episode_id,
        wait_s,
    )


async def begin(conn: Connection, parcel: Parcel, message_id: str, lease_s: float) -> int:
    """Note that the message's data goes out next; return the number of the delivery.

    From here on the parcel's token is one higher. The row must have come from ``lock_held``.
    """
    change = Change("written", "sending", HANDED_OVER, lease_s=lease_s)
    await ledger.move_one(conn, parcel.episode_id, change)
    number: int = await conn.fetchval(
        "INSERT INTO deliveries (episode_id, message_id, outcome) VALUES ($1, $2, 'sending')"
        " RETURNING id",
        parcel.episode_id,
        message_id,
    )
    return number


async def finish(conn: Connection, parcel: Parcel, change: Change) -> bool:
    """End a send of ours; False, changing nothing, when the lease was lost over it."""
    row = await ledger.lock(conn, parcel.episode_id)
    if row is None or row["state"] != "sending" or row["lease_token"] != parcel.token + 1:
        return False
    await ledger.move_one(conn, parcel.episode_id, change)
    return True


async def complete(conn: Connection, number: int, outcome: str, code: int | None) -> None:
    """Note how a delivery ended, also one that comes too late: it tells a person what happened."""
    await conn.execute(
        "UPDATE deliveries SET outcome = $2, status_code = $3, ended_at = clock_timestamp()"
        " WHERE id = $1",
        number,
        outcome,
        code,
    )


async def note_refusal(conn: Connection, parcel: Parcel, message_id: str, code: int) -> int:
    """Note a try that the server refused before any data; return how many there were."""
    await conn.execute(
        "INSERT INTO deliveries (episode_id, message_id, outcome, status_code, ended_at)"
        " VALUES ($1, $2, $3, $4, clock_timestamp())",
        parcel.episode_id,
        message_id,
        NOT_SENT,
        code,
    )
    count: int = await conn.fetchval(
        "SELECT count(*) FROM deliveries WHERE episode_id = $1 AND outcome = $2",
        parcel.episode_id,
        NOT_SENT,
    )
    return count
