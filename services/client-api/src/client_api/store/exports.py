"""Every SQL statement of an export: all rows about one client, as Postgres writes them in JSON.

Money is a decimal string, as in every other answer.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from tempfile import SpooledTemporaryFile
from typing import IO

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.problems import NotFound, Unavailable
from client_api.store.places import PLACES
from client_api.trail import Trail

LIMIT_S = 60.0
MEMORY_BYTES_MAX = 4 * 1024 * 1024
"""What is longer lies in a file that has no name and goes when it is closed."""
EXPORTED = "client.exported"

OF_EPISODES = "episode_id IN (SELECT id FROM episodes WHERE client_id = :id)"
ADDRESS = "(SELECT address_hash(email) FROM clients WHERE id = :id)"

ROW = "to_jsonb(r) - 'traceparent'"
"""A whole row but for the trace of the request that wrote it: it says nothing of the client."""
MONEY: Mapping[str, tuple[str, ...]] = {
    "orders": ("amount",),
    "model_calls": ("cost_usd", "reserved_usd"),
}
"""Columns of exact amounts, which JSON's numbers would leave to each reader's floating point."""
CLIENT = f"SELECT ({ROW})::text FROM clients r WHERE r.id = :id"
ROWS: Mapping[str, str] = {
    "orders": "FROM orders r WHERE r.client_id = :id ORDER BY r.ordered_at, r.id",
    "score_features": "FROM score_features r WHERE r.client_id = :id",
    # By day, so that the key's index finds the rows; other days only wait for being dropped.
    "scores": """FROM scores r WHERE r.client_id = :id AND r.as_of IN (
        SELECT as_of FROM score_serving UNION ALL SELECT preparing FROM score_serving)""",
    "episodes": "FROM episodes r WHERE r.client_id = :id ORDER BY r.last_order_day, r.id",
    "episode_history": f"FROM episode_history r WHERE {OF_EPISODES} ORDER BY r.id",
    "emails": "FROM emails r WHERE r.client_id = :id ORDER BY r.created_at, r.episode_id",
    "model_calls": f"FROM model_calls r WHERE {OF_EPISODES} ORDER BY r.id",
    "decisions": f"FROM decisions r WHERE {OF_EPISODES} ORDER BY r.id",
    "decision_outcomes": f"""FROM decision_outcomes r
        WHERE r.decision_id IN (SELECT id FROM decisions WHERE {OF_EPISODES})
        ORDER BY r.decision_id""",
    "deliveries": f"FROM deliveries r WHERE {OF_EPISODES} ORDER BY r.id",
    "suppressions": f"FROM suppressions r WHERE r.address_hash = {ADDRESS}",
    "audit": f"""FROM audit r WHERE r.subject IN (:subject, 'address/' || {ADDRESS})
        ORDER BY r.id""",
    "idempotency_keys": """FROM (
            SELECT subject, key, route, status, headers, convert_from(body, 'UTF8') AS body,
                   created_at
            FROM idempotency_keys WHERE client_id = :id AND body IS NOT NULL) r
        ORDER BY r.created_at, r.key""",
    # A run is about many clients: parameters, result and error also name the others.
    "operations": """FROM (
            SELECT o.id, o.kind, o.actor, o.state, o.step, o.done, o.total, o.created_at,
                   o.updated_at, o.finished_at,
                   CASE WHEN jsonb_typeof(o.parameters -> 'clients') = 'array'
                        THEN jsonb_set(o.parameters, '{clients}', jsonb_build_array(
                                       CAST(:id AS bigint)))
                        ELSE o.parameters END AS parameters,
                   (SELECT coalesce(jsonb_agg(m ORDER BY n), '[]')
                    FROM jsonb_array_elements(
                        CASE WHEN jsonb_typeof(o.result #> '{what_if,moved}') = 'array'
                             THEN o.result #> '{what_if,moved}' ELSE '[]' END)
                        WITH ORDINALITY AS t (m, n)
                    WHERE m @> jsonb_build_object('client_id', CAST(:id AS bigint))) AS moved
            FROM operations o
            WHERE o.parameters -> 'clients' @> jsonb_build_array(CAST(:id AS bigint))
               OR o.result @> naming_moved(CAST(:id AS bigint))) r
        ORDER BY r.id""",
}
"""Each table that says something of a client; all of a row, so that no column is forgotten. Of a
run only what is about the client."""

KNOWN = f"""
    SELECT EXISTS (SELECT FROM clients WHERE id = :id)
        OR EXISTS (SELECT FROM episodes WHERE client_id = :id)
        OR EXISTS (SELECT FROM audit WHERE subject = :subject AND action <> '{EXPORTED}')
"""


async def collect(db: AsyncConnection, client_id: int, trail: Trail) -> IO[bytes]:
    """Write all that is kept about a client into a file, and a note of it into the audit.

    All of it is of one moment, with that note. Rows are read one after the other, so memory stays
    bounded whatever their number. Raises NotFound, and Unavailable when it takes too long.
    """
    await db.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    about: dict[str, int | str] = {"id": client_id, "subject": f"client/{client_id}"}
    if not (await db.execute(text(KNOWN), about)).scalar_one():
        raise NotFound(f"there is no client {client_id}, and nothing is kept about one")
    trail.note(EXPORTED, f"client/{client_id}")
    await trail.keep(db)
    file = SpooledTemporaryFile(MEMORY_BYTES_MAX)  # noqa: SIM115 - whoever sends it closes it
    try:
        async with asyncio.timeout(LIMIT_S):
            await _write(db, about, file)
    except TimeoutError:
        file.close()
        raise Unavailable(f"the export took longer than {LIMIT_S:.0f} s") from None
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


async def _write(db: AsyncConnection, about: Mapping[str, int | str], file: IO[bytes]) -> None:
    head = {"client_id": about["id"], "exported_at": datetime.now(UTC), "places": PLACES}
    client = (await db.execute(text(CLIENT), about)).scalar_one_or_none()
    file.write(orjson.dumps(head)[:-1])
    file.write(b',"client":' + (client or "null").encode())
    for name, rows in ROWS.items():
        file.write(f',"{name}":['.encode())
        comma = b""
        statement = text(f"SELECT ({_row_of(name)})::text {rows}")
        async with db.stream(statement, about) as found:
            async for (row,) in found:
                file.write(comma + row.encode())
                comma = b","
        file.write(b"]")
    file.write(b"}")


def _row_of(table: str) -> str:
    exact = ", ".join(f"'{name}', r.{name}::text" for name in MONEY.get(table, ()))
    return f"{ROW} || jsonb_build_object({exact})" if exact else ROW
