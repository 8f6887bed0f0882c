"""Who did what, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from client_api.auth import Scope, needs
from client_api.shapes.audit import AuditQuery, AuditRow
from client_api.shapes.responses import Page
from client_api.store import audit
from client_api.web import cursors
from client_api.web.pages import page_of
from client_api.web.state import Db

router = APIRouter(prefix="/api", tags=["operations"])

NEWEST = "-id"


@router.get("/audit", dependencies=[needs(Scope.OPS_READ)])
async def list_audit(db: Db, query: Annotated[AuditQuery, Query()]) -> Page[AuditRow]:
    """List what was done, by whom and to which resource, the latest first."""
    after = cursors.decode(query.cursor, NEWEST, cursors.BY_ID)
    rows = await audit.newest(
        db,
        resource=query.resource,
        before=None if after is None else after[0],
        limit=query.limit + 1,
    )
    return page_of(rows, query.limit, lambda row: cursors.encode(NEWEST, row.id))
