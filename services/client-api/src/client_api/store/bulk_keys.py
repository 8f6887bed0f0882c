"""Every SQL statement about the chunks of bulk loads that named an idempotency key."""

from typing import NamedTuple

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.store.bulk import Refusal
from client_api.store.keys import KEPT_HOURS, SWEPT_AT_ONCE

# A load is in somebody's hands as long as a chunk's transaction lasts; nobody waits for it.
TAKE = "SELECT pg_try_advisory_xact_lock(hashtextextended(encode(:load, 'hex'), 7407))"
FIND = f"""
    SELECT digest, CAST(refused AS text) AS refused, is_end FROM bulk_chunks
    WHERE load = :load AND number = :number
      AND (SELECT max(created_at) FROM bulk_chunks WHERE load = :load)
          > clock_timestamp() - interval '{KEPT_HOURS} hours'
"""
"""A load is kept or forgotten as a whole: with half of it forgotten, half would go in twice."""
FORGET = "DELETE FROM bulk_chunks WHERE load = :load AND number >= :number"
KEEP = """
    INSERT INTO bulk_chunks (load, number, digest, refused, is_end)
    VALUES (:load, :number, :digest, CAST(:refused AS jsonb), :is_end)
"""
SWEEP = f"""
    DELETE FROM bulk_chunks c USING (
        SELECT load, number FROM bulk_chunks o
        WHERE created_at <= clock_timestamp() - interval '{KEPT_HOURS} hours'
          AND NOT EXISTS (
              SELECT FROM bulk_chunks y WHERE y.load = o.load
              AND y.created_at > clock_timestamp() - interval '{KEPT_HOURS} hours')
        ORDER BY created_at LIMIT {SWEPT_AT_ONCE}) old
    WHERE c.load = old.load AND c.number = old.number
"""


class KeptChunk(NamedTuple):
    """What is kept of a chunk; at the end of a load, of the lines behind its last row."""

    digest: bytes
    refused: list[Refusal]
    is_end: bool


async def take(db: AsyncConnection, load: bytes) -> bool:
    """Take a load for this transaction; return False while another one has it."""
    return bool((await db.execute(text(TAKE), {"load": load})).scalar_one())


async def find(db: AsyncConnection, load: bytes, number: int) -> KeptChunk | None:
    """Return what was kept of a chunk within a day."""
    row = (await db.execute(text(FIND), {"load": load, "number": number})).mappings().first()
    if row is None:
        return None
    refused = [Refusal(*one) for one in orjson.loads(row["refused"])]
    return KeptChunk(row["digest"], refused, row["is_end"])


async def keep(db: AsyncConnection, load: bytes, number: int, chunk: KeptChunk) -> None:
    """Keep a chunk in the transaction that took it; what is older of its place and behind goes."""
    place = {"load": load, "number": number}
    await db.execute(text(FORGET), place)
    refused = orjson.dumps([list(one) for one in chunk.refused]).decode()
    values = {**place, "digest": chunk.digest, "refused": refused, "is_end": chunk.is_end}
    await db.execute(text(KEEP), values)


async def sweep(db: AsyncConnection) -> int:
    """Forget chunks that are older than a day, so many at once; return how many went."""
    return int((await db.execute(text(SWEEP))).rowcount)
