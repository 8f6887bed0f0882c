"""The bare contender of the API: a Starlette route, a query by asyncpg, JSON by orjson.

It knows no one: no token, no log, no limits, no checks. ``STATEMENTS`` are JSON by kind of page.
"""

import contextlib
import os
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.api_pages import BEHIND, LIMIT, SHAPES, SINGLE, TOLD

POOL_SIZE = 10


async def _as_it_is(_: object) -> None:
    """Spare the connection its reset, as the contender does."""


def _route(kind: str, statement: str) -> Route:
    make = _body_of(kind)

    async def answer(request: Request) -> Response:
        values = orjson.loads(request.query_params["values"])
        rows = await request.app.state.pool.fetch(statement, *values)
        content = orjson.dumps(make(rows), option=orjson.OPT_UTC_Z)
        return Response(content, media_type="application/json")

    return Route(f"/{kind}", answer)


def _body_of(kind: str) -> Callable[[list[Any]], Any]:
    shape, behind, told = SHAPES[kind], BEHIND.get(kind), TOLD.get(kind)
    if kind in SINGLE:
        return lambda rows: shape(rows[0])
    if behind is None:
        return lambda rows: [shape(row) for row in rows]
    return lambda rows: _page(rows, shape, behind, told)


def _page(
    rows: list[Any],
    shape: Callable[[Any], dict[str, Any]],
    behind: Callable[[dict[str, Any]], str],
    told: Callable[[dict[str, Any]], dict[str, Any]] | None,
) -> dict[str, Any]:
    items = [shape(row) for row in rows[:LIMIT]]
    following = behind(items[-1]) if len(rows) > LIMIT else None
    return {"items": items if told is None else [told(row) for row in items], "next": following}


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    async with asyncpg.create_pool(
        os.environ["DATABASE_URL"],
        min_size=POOL_SIZE,
        max_size=POOL_SIZE,
        reset=_as_it_is,
        server_settings={"jit": "off"},
    ) as pool:
        app.state.pool = pool
        yield


def main() -> None:
    """Serve on the port that the environment names."""
    statements: dict[str, str] = orjson.loads(os.environ["STATEMENTS"])
    app = Starlette(
        routes=[_route(kind, statement) for kind, statement in statements.items()],
        lifespan=_lifespan,
    )
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        log_level="warning",
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
