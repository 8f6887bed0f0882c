"""Every SQL statement about idempotency keys: the first answer to a create, kept for a day."""

from typing import NamedTuple

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

KEPT_HOURS = 24
SWEPT_AT_ONCE = 5_000

# A key is in somebody's hands as long as the transaction lasts; nobody waits for it.
TAKE = "SELECT pg_try_advisory_xact_lock(hashtextextended(:subject || ' ' || :key, 7406))"
FIND = f"""
    SELECT route, body_hash, status, CAST(headers AS text) AS headers, body FROM idempotency_keys
    WHERE subject = :subject AND key = :key
      AND created_at > clock_timestamp() - interval '{KEPT_HOURS} hours'
"""
FORGET = "DELETE FROM idempotency_keys WHERE subject = :subject AND key = :key"
KEEP = """
    INSERT INTO idempotency_keys (subject, key, route, body_hash, status, headers, body, client_id)
    VALUES (:subject, :key, :route, :body_hash, :status, CAST(:headers AS jsonb), :body, :client_id)
"""
SWEEP = f"""
    DELETE FROM idempotency_keys k USING (
        SELECT subject, key FROM idempotency_keys
        WHERE created_at <= clock_timestamp() - interval '{KEPT_HOURS} hours'
        ORDER BY created_at LIMIT {SWEPT_AT_ONCE}) old
    WHERE k.subject = old.subject AND k.key = old.key
"""


class Stored(NamedTuple):
    """A first answer; ``body`` and ``body_hash`` are None once its client is erased."""

    route: str
    body_hash: bytes | None
    """SHA-256 of the request's body."""
    status: int
    headers: dict[str, str]
    body: bytes | None


async def take(db: AsyncConnection, subject: str, key: str) -> bool:
    """Take a key for this transaction; return False while another one has it."""
    values = {"subject": subject, "key": key}
    return bool((await db.execute(text(TAKE), values)).scalar_one())


async def find(db: AsyncConnection, subject: str, key: str) -> Stored | None:
    """Return the answer that was given under a key within a day."""
    row = (await db.execute(text(FIND), {"subject": subject, "key": key})).mappings().first()
    return None if row is None else Stored(**{**row, "headers": orjson.loads(row["headers"])})


async def keep(
    db: AsyncConnection, subject: str, key: str, stored: Stored, client_id: int | None
) -> None:
    """Keep an answer; ``client_id`` is whose data it holds. An older one of the key goes."""
    values = {"subject": subject, "key": key, "client_id": client_id, **stored._asdict()}
    await db.execute(text(FORGET), values)
    await db.execute(text(KEEP), {**values, "headers": orjson.dumps(stored.headers).decode()})


async def sweep(db: AsyncConnection) -> int:
    """Forget answers that are older than a day, so many at once; return how many went."""
    return int((await db.execute(text(SWEEP))).rowcount)
