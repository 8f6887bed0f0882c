"""Every SQL statement of the day switch: fill the next day's partition, then serve it at once."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import asyncpg
import numpy as np

from client_api.database import DAY_SWITCH_LOCK, SWEEP_LOCK
from client_api.projector.store import ScoreStore
from common.clock import number_of
from common.score.policy import Policy
from common.score.sweep import NO_DAY, STATES, FeatureColumns, sweep

CHUNK_ROWS = 10_000
DROP_WAIT = "200ms"
"""Dropping a day needs the table for itself for a moment; readers must not queue behind it long."""

SERVED = "SELECT as_of FROM score_serving"
TRY_LOCK = "SELECT pg_try_advisory_lock($1)"
UNLOCK = "SELECT pg_advisory_unlock($1)"
DAYS_FOR_UPDATE = "SELECT as_of, preparing FROM score_serving FOR UPDATE"
"""Waits for the batches in flight: those after it write for the new day, too."""
CHUNK = """
    SELECT client_id, policy_version, frequency, value, order_days,
           first_day - DATE '1970-01-01', last_day - DATE '1970-01-01',
           crossing_day - DATE '1970-01-01'
    FROM score_features WHERE client_id > $1 ORDER BY client_id LIMIT $2
"""
FILL = """
    INSERT INTO scores (as_of, client_id, score, state)
    SELECT $1::date, r.client_id, r.score, ($5::text[])[r.state + 1]
    FROM unnest($2::bigint[], $3::double precision[], $4::smallint[])
         AS r (client_id, score, state)
    ON CONFLICT DO NOTHING
"""
"""A row that is there already was written by a batch meanwhile, from newer features."""
PARTITIONS = """
    SELECT to_date(substr(c.relname, 8), 'YYYYMMDD') AS day
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'scores'::regclass ORDER BY 1
"""


class Swept(NamedTuple):
    """One chunk, scored."""

    ids: list[int]
    scores: list[float | None]
    states: list[int]


class Days:
    """Prepares and switches the day being served; safe beside other projectors and batches."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", store: ScoreStore) -> None:
        """Use the connections of ``pool`` and the policies of ``store``."""
        self._pool = pool
        self._store = store

    async def served(self) -> date | None:
        """Return the day being served."""
        found: date | None = await self._pool.fetchval(SERVED)
        return found

    async def advance(self, day: date) -> int | None:
        """Serve ``day`` unless it, or a later one, is served; return how many rows were filled.

        Returns None when there was nothing to do, or another projector is at it.
        """
        async with self._pool.acquire() as lock:
            if not await lock.fetchval(TRY_LOCK, DAY_SWITCH_LOCK):
                return None
            try:
                if not await self._prepare(day):
                    return None
                filled = await self._fill(day)
                await self._switch(day)
                await self._drop_old()
                return filled
            finally:
                if not lock.is_closed():
                    await lock.execute(UNLOCK, DAY_SWITCH_LOCK)

    async def _prepare(self, day: date) -> bool:
        async with self._pool.acquire() as db, db.transaction():
            as_of, preparing = (await db.fetch(DAYS_FOR_UPDATE))[0]
            if as_of is not None and as_of >= day:
                return False
            if preparing != day:
                # A partition left over from before may hold scores that are old by now.
                await db.execute("UPDATE score_serving SET preparing = NULL")
                await db.execute("SELECT scores_drop_day($1)", day)
                await db.execute("SELECT scores_open_day($1)", day)
                await db.execute("UPDATE score_serving SET preparing = $1", day)
            return True

    async def _fill(self, day: date) -> int:
        filled = 0
        last = 0
        while True:
            async with self._pool.acquire() as db, db.transaction():
                await db.execute("SELECT pg_advisory_xact_lock($1)", SWEEP_LOCK)
                rows = await db.fetch(CHUNK, last, CHUNK_ROWS)
                if not rows:
                    return filled
                policies = await self._store.policies({row["policy_version"] for row in rows})
                swept = sweep_rows(rows, number_of(day), policies)
                await db.execute(FILL, day, *swept, list(STATES))
            last = rows[-1]["client_id"]
            filled += len(rows)

    async def _switch(self, day: date) -> None:
        """Serve ``day``, unless another projector took over and has served it, or a later one."""
        async with self._pool.acquire() as db, db.transaction():
            served = await db.fetchval(
                "UPDATE score_serving SET as_of = preparing, preparing = NULL"
                " WHERE preparing = $1 RETURNING as_of",
                day,
            )
            if served is None:
                return
            await db.execute(
                "SELECT pg_notify('served', json_build_object('as_of', $1::date)::text)", day
            )

    async def _drop_old(self) -> None:
        """Drop every other day; what cannot be dropped now is dropped after the next switch."""
        async with self._pool.acquire() as db:
            served = await db.fetchval(SERVED)
            for row in await db.fetch(PARTITIONS):
                if row["day"] == served:
                    continue
                try:
                    async with db.transaction():
                        await db.execute(f"SET LOCAL lock_timeout = '{DROP_WAIT}'")
                        await db.execute("SELECT scores_drop_day($1)", row["day"])
                except asyncpg.LockNotAvailableError:
                    return


def sweep_rows(rows: Sequence[Any], day: int, policies: Mapping[int, Policy]) -> Swept:
    """Score rows of ``CHUNK`` on ``day`` (days since 1970-01-01), each by the policy it names."""
    columns = list(zip(*rows, strict=True))
    ids, versions, counts = (np.array(columns[i], dtype=np.int64) for i in (0, 1, 4))
    scores: list[float | None] = [None] * len(rows)
    states = [STATES.index("no_orders")] * len(rows)
    for version in np.unique(versions):
        which = np.flatnonzero((versions == version) & (counts > 0)).tolist()
        chosen = [rows[i] for i in which]
        if not chosen:
            continue
        found_scores, found_states = sweep(_columns(chosen), day, policies[int(version)])
        for place, score, state in zip(
            which, found_scores.tolist(), found_states.tolist(), strict=True
        ):
            scores[place] = score
            states[place] = state
    return Swept(ids.tolist(), scores, states)


def _columns(rows: Sequence[Any]) -> FeatureColumns:
    _, _, frequency, value, n, first, last, crossing = zip(*rows, strict=True)
    return FeatureColumns(
        np.array(frequency, dtype=np.float64),
        np.array(value, dtype=np.float64),
        np.array(n, dtype=np.int64),
        np.array(first, dtype=np.int64),
        np.array(last, dtype=np.int64),
        np.array([NO_DAY if day is None else day for day in crossing], dtype=np.int64),
    )
