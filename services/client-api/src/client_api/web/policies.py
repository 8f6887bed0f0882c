"""Policies and the state of the whole shop over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from client_api.auth import Scope, needs
from client_api.shapes.fields import RowId
from client_api.shapes.requests import PageQuery, PolicyIn, Strict
from client_api.shapes.responses import Page, PolicyRow, Stats
from client_api.store import policies
from client_api.web import cursors
from client_api.web.pages import page_of, set_etag, versions_of
from client_api.web.repeats import keyed, of_nobody
from client_api.web.state import Audit, Db, Shared
from client_api.web.strict import StrictRoute

router = APIRouter(prefix="/api", tags=["shop"], route_class=StrictRoute)

LATEST = "-version"


@router.get("/policies", dependencies=[needs(Scope.POLICY_READ)])
async def list_policies(db: Db, query: Annotated[PageQuery, Query()]) -> Page[PolicyRow]:
    """List the versions of the shop's rules, the latest first."""
    after = cursors.decode(query.cursor, LATEST, cursors.BY_ID)
    rows = await policies.newest(
        db, before=None if after is None else after[0], limit=query.limit + 1
    )
    return page_of(rows, query.limit, lambda row: cursors.encode(LATEST, row.version))


@router.get("/policies/current", dependencies=[needs(Scope.POLICY_READ)])
async def read_current_policy(db: Db, response: Response) -> PolicyRow:
    """Read the rules in force."""
    row = await policies.current(db)
    set_etag(response, row.version)
    return row


@router.get("/policies/{version}", dependencies=[needs(Scope.POLICY_READ)])
async def read_policy(db: Db, version: Annotated[RowId, Path()], response: Response) -> PolicyRow:
    """Read one version of the rules; once written it never changes."""
    row = await policies.read(db, version)
    set_etag(response, row.version)
    return row


@router.post(
    "/policies",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs(Scope.POLICY_WRITE), keyed(of_nobody)],
)
async def publish_policy(
    db: Db,
    audit: Audit,
    *,
    body: Strict[PolicyIn],
    versions: Annotated[list[int] | None, Depends(versions_of)],
    response: Response,
) -> PolicyRow:
    """Put new rules in force; clients are scored anew under them, without a restart.

    With `If-Match` they replace that version alone: it is 412 when another one is in force.
    """
    row = await policies.publish(db, body, audit.actor, versions)
    audit.note("policy.published", f"policy/{row.version}", row.version)
    response.headers["Location"] = f"/api/policies/{row.version}"
    set_etag(response, row.version)
    return row


@router.get("/stats", dependencies=[needs(Scope.CLIENTS_READ)])
async def read_stats(parts: Shared) -> Stats:
    """Tell the business time, and count clients, orders, episodes and emails.

    A small shop is counted anew; in a large one the counts may be a minute old.
    """
    taken = await parts.counting.look(parts.engine)
    return Stats(
        **taken.counts._asdict(),
        counted_at=taken.at,
        business_now=parts.clock.now(),
        clock_rate=parts.clock.anchor().rate,
        model_sandbox=parts.model_sandbox,
    )
