"""What another policy would change: asked for here, answered by a run; changes nothing."""

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from client_api.store import operations
from client_api.web.requests import Actor, Body
from client_api.web.responses import OperationRow
from client_api.web.state import Shared
from client_api.web.strict import StrictRoute

router = APIRouter(prefix="/api", tags=["operations"], route_class=StrictRoute)

CLIENTS_MAX = 1_000


class WhatIfIn(Body):
    """Which policy to try."""

    policy: Annotated[dict[str, Any], Field(examples=[{"theta": 0.4}])]
    """A policy, or the part of one that differs from the one in force."""
    day: date | None = None
    """As of this day; business today without."""
    clients: Annotated[int, Field(ge=0, le=CLIENTS_MAX)] = 100
    """How many of the clients who change state are named."""
    cost_per_email: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """In the shop's currency; no cost is assumed without."""
    actor: Actor


@router.post("/what-ifs", status_code=HTTPStatus.ACCEPTED)
async def try_policy(parts: Shared, body: WhatIfIn) -> OperationRow:
    """Judge the whole history under another policy; the run's result says who enters and leaves."""
    run = await parts.operator.what_if(
        body.policy,
        day=body.day,
        clients=body.clients,
        cost_per_email=body.cost_per_email,
        actor=body.actor,
    )
    async with parts.engine.connect() as connection:
        return await operations.read(connection, run)
