"""Policies and the state of the whole shop over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from client_api.store import policies, stats
from client_api.web import cursors
from client_api.web.pages import page_of
from client_api.web.requests import PageQuery, PolicyIn
from client_api.web.responses import Page, PolicyRow, Stats
from client_api.web.state import Db, Shared

router = APIRouter(prefix="/api", tags=["shop"])

LATEST = "-version"


@router.get("/policies")
async def list_policies(db: Db, query: Annotated[PageQuery, Query()]) -> Page[PolicyRow]:
    """List the versions of the shop's rules, the latest first."""
    after = cursors.decode(query.cursor, LATEST, cursors.BY_ID)
    rows = await policies.newest(
        db, before=None if after is None else after[0], limit=query.limit + 1
    )
    return page_of(rows, query.limit, lambda row: cursors.encode(LATEST, row.version))


@router.get("/policies/current")
async def read_current_policy(db: Db) -> PolicyRow:
    """Read the rules in force."""
    return await policies.current(db)


@router.post("/policies", status_code=HTTPStatus.CREATED)
async def publish_policy(db: Db, body: PolicyIn) -> PolicyRow:
    """Put new rules in force; clients are scored anew under them, without a restart."""
    return await policies.publish(db, body)


@router.get("/stats")
async def read_stats(db: Db, parts: Shared) -> Stats:
    """Count clients, orders, episodes and emails; tell the business time."""
    counts = await stats.count(db)
    return Stats(
        **counts._asdict(),
        business_now=parts.clock.now(),
        clock_rate=parts.clock.anchor().rate,
        model_sandbox=parts.model_sandbox,
    )
