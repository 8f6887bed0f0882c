"""Every SQL statement about clients."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.database import SWEEP_LOCK, UNIQUE_VIOLATION, sqlstate_of
from client_api.problems import Conflict, NotFound, VersionMismatch
from client_api.shapes.requests import ClientIn
from client_api.shapes.responses import ClientRow
from client_api.store.reads import Reads

COLUMNS = (
    "c.id, c.first_name, c.surname, c.email, c.phone, c.address, c.style_tags, c.time_zone, "
    "c.consent, c.synthetic, c.created_at, c.updated_at, c.version"
)
SCORE_COLUMNS = "s.as_of, s.score, s.state, f.crossing_day, f.policy_version, f.merged_version"
SERVED = "(SELECT as_of FROM score_serving)"
"""A subselect, so that only the served day's partition is read."""
WITH_SCORE = f"""
    LEFT JOIN scores s ON s.client_id = c.id AND s.as_of = {SERVED}
    LEFT JOIN score_features f ON f.client_id = c.id
"""
WRITABLE = (
    "first_name",
    "surname",
    "email",
    "phone",
    "address",
    "style_tags",
    "time_zone",
    "consent",
    "synthetic",
)


async def read(db: AsyncConnection, client_id: int) -> ClientRow:
    """Return one client; raises NotFound."""
    statement = f"SELECT {COLUMNS}, {SCORE_COLUMNS} FROM clients c {WITH_SCORE} WHERE c.id = :id"
    row = (await db.execute(text(statement), {"id": client_id})).mappings().first()
    if row is None:
        raise NotFound(f"there is no client {client_id}")
    return row_of(row)


READ = f"SELECT {COLUMNS}, {SCORE_COLUMNS} FROM clients c {WITH_SCORE} WHERE c.id = $1"


async def find(reads: Reads, client_id: int) -> dict[str, Any]:
    """Return the fields of one client, as in ClientRow; raises NotFound."""
    rows = await reads.rows(READ, [client_id])
    if not rows:
        raise NotFound(f"there is no client {client_id}")
    return fields_of(rows[0])


async def create(db: AsyncConnection, client: ClientIn) -> ClientRow:
    """Insert one client; raises Conflict when its id is taken."""
    values = client.model_dump()
    known = None
    if client.id is not None:
        known = await reserve_ids(db, "clients", client.id)
    columns = WRITABLE if client.id is None else ("id", *WRITABLE)
    statement = (
        f"INSERT INTO clients AS c ({', '.join(columns)}) "
        f"VALUES ({', '.join(f':{name}' for name in columns)}) RETURNING {COLUMNS}"
    )
    try:
        row = (await db.execute(text(statement), values)).mappings().one()
    except IntegrityError as error:
        if sqlstate_of(error) == UNIQUE_VIOLATION:
            raise Conflict(f"there is a client {client.id} already") from None
        raise
    if known is not None and row["id"] <= known:
        row = (await db.execute(text(TOUCH), {"ids": [row["id"]]})).mappings().one()
    return row_of(row)


TOUCH = (
    f"UPDATE clients c SET id = c.id WHERE c.id = ANY(CAST(:ids AS bigint[])) RETURNING {COLUMNS}"
)
"""An insert takes its version before it waits for a transaction that deletes the same id; one more
version, taken after that wait, is above everything that the deleted row ever carried."""


async def reserve_ids(db: AsyncConnection, table: str, highest: int) -> int:
    """Move a table's sequence past ids that a caller names; return the highest handed out before.

    Call it before the insert, in the same transaction: it waits for inserts in flight.
    """
    statement = text("SELECT reserve_ids(CAST(:owner AS regclass), :highest)")
    return int((await db.execute(statement, {"owner": table, "highest": highest})).scalar_one())


async def update(
    db: AsyncConnection, client_id: int, changes: dict[str, Any], versions: Sequence[int] | None
) -> ClientRow:
    """Change some fields; raises NotFound, or VersionMismatch when none of ``versions`` is met."""
    if changes:
        assignments = ", ".join(f"{name} = :{name}" for name in WRITABLE if name in changes)
        statement = f"UPDATE clients SET {assignments} WHERE id = :id {_met(versions)} RETURNING id"
        row = (
            await db.execute(text(statement), {**changes, "id": client_id, "versions": versions})
        ).first()
        if row is not None:
            return await read(db, client_id)
    found = await read(db, client_id)
    check_version(found.version, versions)
    return found


def check_version(version: int, versions: Sequence[int] | None) -> None:
    """Raise VersionMismatch when the caller's If-Match names other versions than this one."""
    if versions is not None and version not in versions:
        raise VersionMismatch(f"the row is at version {version} now")


def _met(versions: Sequence[int] | None) -> str:
    return "" if versions is None else "AND version = ANY(CAST(:versions AS bigint[]))"


async def erase(
    db: AsyncConnection, client_id: int, versions: Sequence[int] | None = None
) -> dict[str, int]:
    """Erase a client and all that is known of it; raises NotFound, VersionMismatch.

    The row is touched after its last order can have come, so that its version is above theirs:
    whoever reads the changes may forget everything up to it. Return that version and counts, which
    the audit has to keep as ``ERASED``; what lies on topics is for ``engage erase``.
    """
    lock = text("SELECT pg_advisory_xact_lock_shared(:lock)")
    await db.execute(lock, {"lock": SWEEP_LOCK})
    found = (
        await db.execute(
            text("SELECT version FROM clients WHERE id = :id FOR UPDATE"), {"id": client_id}
        )
    ).first()
    if found is None:
        raise NotFound(f"there is no client {client_id}")
    check_version(found.version, versions)
    counts = (await db.execute(text(COUNTS), {"id": client_id})).mappings().one()
    for statement in ERASURE:
        await db.execute(text(statement), {"id": client_id})
    version = (await db.execute(text(GONE), {"id": client_id})).scalar_one()
    return {**counts, "version": version}


ERASED = "client.erased"
"""The action of its entry in the audit, by which triggers and ``engage`` know it."""
ERASURE = (
    # First, since it waits for changes of these orders that are under way: the lock on the client
    # keeps new ones out, but not changes of known ones.
    "DELETE FROM orders WHERE client_id = :id",
    "UPDATE clients SET first_name = first_name WHERE id = :id",
    # By day, so that the key's index finds the rows; other days only wait for being dropped.
    """DELETE FROM scores WHERE client_id = :id AND as_of IN (
           SELECT as_of FROM score_serving UNION ALL SELECT preparing FROM score_serving)""",
    # Words about the client go with its row, by a trigger; the mailer ends the episodes.
    """INSERT INTO decisions (episode_id, action, actor)
       SELECT id, 'erase', 'erasure' FROM episodes WHERE client_id = :id""",
)
GONE = "DELETE FROM clients WHERE id = :id RETURNING version"
COUNTS = """
    SELECT (SELECT count(*) FROM orders WHERE client_id = :id) AS orders,
           (SELECT count(*) FROM episodes WHERE client_id = :id) AS episodes
"""


def row_of(row: RowMapping) -> ClientRow:
    """Build the answer from a row of ``COLUMNS``, with or without ``SCORE_COLUMNS``."""
    return ClientRow.model_validate(fields_of(row))


def fields_of(row: Any) -> dict[str, Any]:
    """Return the fields of a ClientRow, without checks, from a row of ``COLUMNS``."""
    fields = dict(row.items())
    as_of = fields.pop("as_of", None)
    score = {
        "as_of": as_of,
        "score": fields.pop("score", None),
        "state": fields.pop("state", None),
        "crossing_day": fields.pop("crossing_day", None),
        "policy_version": fields.pop("policy_version", None),
        "merged_version": fields.pop("merged_version", None),
    }
    scored = as_of is not None and score["policy_version"] is not None
    fields["score"] = score if scored else None
    fields["masked"] = False
    return fields
