"""Every SQL statement about the audit: who did what, over HTTP or by a run."""

from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.shapes.audit import AuditRow
from client_api.store.jsonb import loaded

ADD = """
    INSERT INTO audit (actor, action, subject, version, detail, request, request_id)
    VALUES (:actor, :action, :subject, :version, CAST(:detail AS jsonb), :request, :request_id)
"""
COLUMNS = "id, at, actor, action, subject AS resource, version, detail, request, request_id"


async def add(
    db: AsyncConnection,
    *,
    actor: str,
    action: str,
    subject: str,
    version: int | None = None,
    detail: dict[str, Any] | None = None,
    request: str | None = None,
    request_id: UUID | None = None,
) -> None:
    """Write one row; ``subject`` is the resource, ``detail`` never holds a name or a text."""
    values = {
        "actor": actor,
        "action": action,
        "subject": subject,
        "version": version,
        "detail": orjson.dumps(detail or {}).decode(),
        "request": request,
        "request_id": request_id,
    }
    await db.execute(text(ADD), values)


async def newest(
    db: AsyncConnection, *, resource: str | None, before: int | None, limit: int
) -> list[AuditRow]:
    """Return the next ``limit`` entries below ``before``, of one resource or all, latest first."""
    where = "id < :before" + ("" if resource is None else " AND subject = :resource")
    statement = f"SELECT {COLUMNS} FROM audit WHERE {where} ORDER BY id DESC LIMIT :limit"
    values: dict[str, Any] = {"before": before or 2**63 - 1, "limit": limit}
    if resource is not None:
        values["resource"] = resource
    rows = (await db.execute(text(statement), values)).mappings()
    return [AuditRow.model_validate({**row, "detail": loaded(row["detail"])}) for row in rows]
