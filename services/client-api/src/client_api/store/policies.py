"""Every SQL statement about policies."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.problems import NotFound, VersionMismatch
from client_api.shapes.requests import PolicyIn
from client_api.shapes.responses import PolicyRow
from client_api.store.jsonb import loaded

SELECT = "SELECT id AS version, document, note, created_by, created_at FROM policies"


async def newest(
    db: AsyncConnection, *, before: int | None = None, limit: int = 1
) -> list[PolicyRow]:
    """Return ``limit`` versions below ``before``, the latest first."""
    statement = f"{SELECT} WHERE id < :before ORDER BY id DESC LIMIT :limit"
    values = {"before": before or 2**63 - 1, "limit": limit}
    return [_row_of(row) for row in (await db.execute(text(statement), values)).mappings()]


async def current(db: AsyncConnection) -> PolicyRow:
    """Return the version in force; raises NotFound before the first one."""
    found = await newest(db)
    if not found:
        raise NotFound("there is no policy yet")
    return found[0]


async def read(db: AsyncConnection, version: int) -> PolicyRow:
    """Return one version; raises NotFound."""
    statement = text(f"{SELECT} WHERE id = :id")
    row = (await db.execute(statement, {"id": version})).mappings().first()
    if row is None:
        raise NotFound(f"there is no policy {version}")
    return _row_of(row)


async def publish(
    db: AsyncConnection, new: PolicyIn, actor: str, onto: Sequence[int] | None = None
) -> PolicyRow:
    """Insert the next version; versions are given one after the other, without gaps.

    Raises VersionMismatch when none of the versions ``onto`` is in force.
    """
    await db.execute(text("SELECT pg_advisory_xact_lock(hashtext('policies'))"))
    found = await newest(db)
    in_force = found[0].version if found else 0
    if onto is not None and in_force not in onto:
        raise VersionMismatch(f"version {in_force} is in force now")
    version = in_force + 1
    rules = new.document.model_copy(update={"version": version})
    if found and "emails" not in new.document.model_fields_set:
        rules = rules.model_copy(update={"emails": found[0].document.emails})
    statement = """
        INSERT INTO policies (id, document, note, created_by)
        VALUES (:version, CAST(:document AS jsonb), :note, :created_by)
        RETURNING id AS version, document, note, created_by, created_at
    """
    values = {
        "version": version,
        "document": rules.model_dump_json(),
        "note": new.note,
        "created_by": actor,
    }
    return _row_of((await db.execute(text(statement), values)).mappings().one())


def _row_of(row: RowMapping) -> PolicyRow:
    return PolicyRow.model_validate({**row, "document": loaded(row["document"])})
