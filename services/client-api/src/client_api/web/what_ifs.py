"""What another policy would change: asked for here, answered by a run; changes nothing."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from client_api.auth import Scope, needs
from client_api.operations.runs import WHAT_IF
from client_api.shapes.fields import Cost, Day, PartOfPolicy, RowId
from client_api.shapes.requests import Body, PageQuery, Strict
from client_api.shapes.responses import OperationRow, Page
from client_api.web.repeats import keyed, of_nobody
from client_api.web.runs import listed, one, started
from client_api.web.state import Audit, Db, Shared
from client_api.web.strict import StrictRoute

router = APIRouter(prefix="/api", tags=["operations"], route_class=StrictRoute)

CLIENTS_MAX = 1_000


class WhatIfIn(Body):
    """Which policy to try."""

    policy: PartOfPolicy
    """A policy, or the part of one that differs from the one in force."""
    day: Day | None = None
    """As of this day; business today without."""
    clients: Annotated[int, Field(ge=0, le=CLIENTS_MAX)] = 100
    """How many of the clients who change state are named."""
    cost_per_email: Cost | None = None
    """In the shop's currency; no cost is assumed without."""


@router.post(
    "/what-ifs",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[needs(Scope.POLICY_READ), keyed(of_nobody)],
)
async def try_policy(
    parts: Shared, audit: Audit, body: Strict[WhatIfIn], response: Response
) -> OperationRow:
    """Judge the whole history under another policy; the run's result says who enters and leaves."""
    run = await parts.operator.what_if(
        body.policy,
        day=body.day,
        clients=body.clients,
        cost_per_email=body.cost_per_email,
        currency=parts.currency,
        trail=audit,
    )
    return await started(parts, audit, run, response)


@router.get("/what-ifs", dependencies=[needs(Scope.POLICY_READ)])
async def list_what_ifs(db: Db, query: Annotated[PageQuery, Query()]) -> Page[OperationRow]:
    """List the runs of what-ifs, the latest first."""
    return await listed(db, query, WHAT_IF)


@router.get("/what-ifs/{what_if_id}", dependencies=[needs(Scope.POLICY_READ)])
async def read_what_if(db: Db, what_if_id: Annotated[RowId, Path()]) -> OperationRow:
    """Read the run of a what-if: how far it is, or what it found."""
    return await one(db, what_if_id, WHAT_IF)
