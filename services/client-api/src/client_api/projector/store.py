"""Every SQL statement of the projector: batches of scores, guarded so that the newest wins."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from client_api.database import SWEEP_LOCK
from client_api.projector.records import Batch, FeatureRow, score_of
from common.policy import ShopPolicy
from common.score.policy import Policy

Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"

DAYS = "SELECT as_of, preparing FROM score_serving FOR SHARE"
"""Held until the batch is committed: the day cannot switch in the middle of it."""

ALIVE = "SELECT id FROM clients WHERE id = ANY($1::bigint[]) ORDER BY id FOR KEY SHARE"
"""Clients that exist, and will until the batch is committed. One that is just being erased is
waited for and then missing, so an erasure can never fail a batch."""

FORGET = """
    DELETE FROM score_features f
    USING unnest($1::bigint[], $2::bigint[]) AS t (client_id, record_offset)
    WHERE f.client_id = t.client_id AND f.record_offset < t.record_offset
    RETURNING f.client_id
"""
FORGET_SCORES = "DELETE FROM scores WHERE client_id = ANY($1::bigint[])"

_COLUMNS = {
    "client_id": "bigint",
    "generation": "integer",
    "merged_version": "bigint",
    "record_offset": "bigint",
    "policy_version": "bigint",
    "frequency": "double precision",
    "value": "double precision",
    "order_days": "integer",
    "first_day": "date",
    "last_day": "date",
    "entry": "double precision",
    "exit": "double precision",
    "crossing_day": "date",
    "lapse_day": "date",
    "episode_id": "text",
    "merged": "jsonb",
    "scored_at": "timestamptz",
}
UPSERT = f"""
    INSERT INTO score_features AS f ({", ".join(_COLUMNS)})
    SELECT * FROM unnest({", ".join(f"${i}::{t}[]" for i, t in enumerate(_COLUMNS.values(), 1))})
    ON CONFLICT (client_id) DO UPDATE
    SET ({", ".join(_COLUMNS)}) = ROW (EXCLUDED.*)
    WHERE (f.generation, f.merged_version, f.record_offset)
        < (EXCLUDED.generation, EXCLUDED.merged_version, EXCLUDED.record_offset)
    RETURNING client_id
"""
SCORES = """
    INSERT INTO scores (as_of, client_id, score, state)
    SELECT $1::date, * FROM unnest($2::bigint[], $3::double precision[], $4::text[])
    ON CONFLICT (as_of, client_id) DO UPDATE SET score = EXCLUDED.score, state = EXCLUDED.state
"""
POLICIES = "SELECT id, document FROM policies WHERE id = ANY($1::bigint[])"


class NothingServed(RuntimeError):
    """Scores came before a day was opened for them: a bug of the caller."""


class Written(NamedTuple):
    """What became of a batch."""

    rows: int
    stale: int
    """Records that a newer one had overtaken already: duplicates and replays."""
    gone: int
    """Records of clients that no longer exist."""
    forgotten: int


class ScoreStore:
    """Writes scores; policies never change once written, so each is read once."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        """Use the connections of ``pool``."""
        self._pool = pool
        self._policies: dict[int, Policy] = {}

    async def policies(self, versions: Iterable[int]) -> Mapping[int, Policy]:
        """Return the policies of these versions, as far as they exist."""
        missing = set(versions) - self._policies.keys()
        if missing:
            for row in await self._pool.fetch(POLICIES, sorted(missing)):
                self._policies[row["id"]] = ShopPolicy.model_validate_json(row["document"])
        return self._policies

    async def write(self, batch: Batch) -> Written:
        """Write a batch in one transaction; the policies of its rows must exist."""
        policies = await self.policies({row.policy_version for row in batch.rows})
        async with self._pool.acquire() as db, db.transaction():
            forgotten = await _forget(db, batch)
            days = await db.fetchrow(DAYS)
            if days is None or days["as_of"] is None:
                raise NothingServed("no day is being served yet")
            alive = {
                row["id"] for row in await db.fetch(ALIVE, [row.client_id for row in batch.rows])
            }
            rows = [row for row in batch.rows if row.client_id in alive]
            columns: list[list[Any]] = [list(c) for c in zip(*rows, strict=True)]
            taken = (
                {row["client_id"] for row in await db.fetch(UPSERT, *columns)} if rows else set()
            )
            newest = [row for row in rows if row.client_id in taken]
            for day in (days["as_of"], days["preparing"]):
                if day is not None and newest:
                    await _write_scores(db, day, newest, policies)
        return Written(len(newest), len(rows) - len(newest), len(batch.rows) - len(rows), forgotten)


async def _forget(db: Connection, batch: Batch) -> int:
    if not batch.forgotten:
        return 0
    # As an erasure: a sweep must not bring back what goes here.
    await db.execute("SELECT pg_advisory_xact_lock_shared($1)", SWEEP_LOCK)
    found = await db.fetch(FORGET, *(list(column) for column in zip(*batch.forgotten, strict=True)))
    await db.execute(FORGET_SCORES, [row["client_id"] for row in found])
    return len(found)


async def _write_scores(
    db: Connection, day: date, rows: list[FeatureRow], policies: Mapping[int, Policy]
) -> None:
    scores, states = zip(*(score_of(row, day, policies) for row in rows), strict=True)
    await db.execute(SCORES, day, [row.client_id for row in rows], list(scores), list(states))
