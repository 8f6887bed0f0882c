"""Is the process alive, and can it serve: each thing it depends on by name."""

import asyncio
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from client_api.database import DATABASE_ERRORS, name_of, ping
from client_api.shapes.health import Health
from client_api.web.state import Parts, Shared
from common.health import verdict

router = APIRouter(tags=["health"])

POSTGRES_LIMIT_S = 2.0

EXCLUDE = {
    "name": "exclude",
    "in": "query",
    "description": "A check that does not count, by its name; as often as needed",
    "schema": {"type": "array", "items": {"type": "string"}},
    "example": ["kafka"],
}
FAILING: dict[int | str, dict[str, Any]] = {
    503: {"model": Health, "description": "Something does not answer"}
}


@router.get("/livez")
async def live() -> Health:
    """Tell that the event loop turns."""
    return Health(status="ok", checks=["process"])


@router.get(
    "/readyz",
    response_model=Health,
    responses=FAILING,
    openapi_extra={"parameters": [EXCLUDE]},
)
async def ready(request: Request, parts: Shared) -> Response:
    """Tell whether every dependency answers; the failing ones stand by name with what is wrong."""
    checks = {"postgres": await _postgres(parts), **parts.access.checks()}
    for feed in parts.feeds:
        checks |= feed.checks()
    told = verdict(checks, request.query_params.getlist("exclude"))
    status = HTTPStatus.OK if told["status"] == "ok" else HTTPStatus.SERVICE_UNAVAILABLE
    return Response(orjson.dumps(told), status_code=status, media_type="application/json")


async def _postgres(parts: Parts) -> str | None:
    try:
        async with asyncio.timeout(POSTGRES_LIMIT_S), parts.engine.connect() as connection:
            await ping(connection)
    except DATABASE_ERRORS as error:
        return f"does not answer: {name_of(error)}"
    return None
