"""Every SQL statement about the runs that people start."""

from typing import Any

import orjson
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.problems import NotFound
from client_api.shapes.responses import OperationRow
from client_api.store.jsonb import loaded

LOCKS = 7405
"""The upper half of the advisory lock of a run; the lower is its id."""
COLUMNS = (
    "id, kind, actor, parameters, state, step, done, total, result, error, created_at, "
    "updated_at, finished_at"
)
INTERRUPTED = f"""
    UPDATE operations SET state = 'failed', error = 'interrupted: its server ended',
           updated_at = clock_timestamp(), finished_at = clock_timestamp()
    WHERE state = 'running' AND pg_try_advisory_xact_lock(({LOCKS}::bigint << 32) + id)
"""
BEGIN = """
    INSERT INTO operations (kind, actor, parameters)
    VALUES (:kind, :actor, CAST(:parameters AS jsonb)) RETURNING id
"""
TELL = """
    UPDATE operations SET step = :step, done = :done, total = :total,
           updated_at = clock_timestamp()
    WHERE id = :id AND state = 'running'
"""
FINISH = """
    UPDATE operations SET state = :state, result = CAST(:result AS jsonb), error = :error,
           updated_at = clock_timestamp(), finished_at = clock_timestamp()
    WHERE id = :id AND state = 'running'
"""


async def mark_interrupted(db: AsyncConnection) -> None:
    """Mark as failed what says that it runs, and whose server is gone."""
    await db.execute(text(INTERRUPTED))


async def begin(db: AsyncConnection, kind: str, actor: str, parameters: dict[str, Any]) -> int:
    """Insert a running row and take its lock, which lasts as long as the connection.

    An IntegrityError says that one of this kind is running.
    """
    values = {"kind": kind, "actor": actor, "parameters": orjson.dumps(parameters).decode()}
    run: int = (await db.execute(text(BEGIN), values)).scalar_one()
    await db.execute(text(f"SELECT pg_advisory_lock(({LOCKS}::bigint << 32) + :id)"), {"id": run})
    return run


async def tell(db: AsyncConnection, run: int, step: str, done: int, total: int | None) -> None:
    """Note how far a run is."""
    await db.execute(text(TELL), {"id": run, "step": step, "done": done, "total": total})


def encoded(result: dict[str, Any]) -> str:
    """Return a result as JSON; raises TypeError when it has no such form."""
    return orjson.dumps(result).decode()


async def finish(db: AsyncConnection, run: int, result: str | None, error: str | None) -> None:
    """Note how a run ended: with an encoded result, or with an error."""
    values = {
        "id": run,
        "state": "done" if error is None else "failed",
        "result": result,
        "error": error,
    }
    await db.execute(text(FINISH), values)


async def newest(
    db: AsyncConnection, *, kind: str | None = None, before: int | None = None, limit: int
) -> list[OperationRow]:
    """Return ``limit`` runs below ``before``, of all kinds or one, the latest first."""
    of_kind = "" if kind is None else "AND kind = :kind"
    statement = f"""
        SELECT {COLUMNS} FROM operations WHERE id < :before {of_kind}
        ORDER BY id DESC LIMIT :limit
    """
    values = {"before": before or 2**63 - 1, "kind": kind, "limit": limit}
    return [_row_of(row) for row in (await db.execute(text(statement), values)).mappings()]


async def read(db: AsyncConnection, run: int, kind: str | None = None) -> OperationRow:
    """Return one run, of any kind or this one; raises NotFound."""
    of_kind = "" if kind is None else "AND kind = :kind"
    statement = f"SELECT {COLUMNS} FROM operations WHERE id = :id {of_kind}"
    values = {"id": run, "kind": kind}
    found = (await db.execute(text(statement), values)).mappings().one_or_none()
    if found is None:
        raise NotFound("there is no such run")
    return _row_of(found)


def _row_of(row: RowMapping) -> OperationRow:
    told = {name: loaded(row[name]) for name in ("parameters", "result")}
    return OperationRow.model_validate({**row, **told})
