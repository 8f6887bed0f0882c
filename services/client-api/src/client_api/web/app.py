"""The application: routes, errors, dashboard, and what lives as long as the server."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn

from fastapi import FastAPI, Request
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Match, Route
from starlette.types import Scope

from client_api.problems import NotFound
from client_api.web import (
    bulk,
    clients,
    effect,
    emails,
    errors,
    events,
    exports,
    health,
    ledger,
    lineage,
    operations,
    orders,
    policies,
    suppressions,
    unsubscribe,
    what_ifs,
)
from client_api.web.limits import BodyLimit
from client_api.web.middleware import Edge
from client_api.web.openapi import document
from client_api.web.state import Parts, State

DESCRIPTION = "Clients, orders, scores and the emails written to clients at risk."
COMPRESS_FROM_BYTES = 1024

ROUTES = (
    *(bulk, clients, exports, orders, emails, lineage, suppressions, ledger, effect),
    *(policies, operations, what_ifs, events, health, unsubscribe),
)
"""In the order in which the API's own document shows them."""

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[State]]


def create_app(parts: Parts, dashboard: Path | None) -> FastAPI:
    """Build the application around its adapters; ``dashboard`` is the built page, if any."""
    app = describe(partial(_lifespan, parts))
    if dashboard is not None:
        app.frontend("/", directory=dashboard, fallback="index.html", check_dir=True)
    return app


def describe(lifespan: Lifespan | None = None) -> FastAPI:
    """Build the application without adapters: enough for its OpenAPI document."""
    app = FastAPI(
        title="client-api",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    for part in ROUTES:
        app.include_router(part.router)
    app.router.routes.append(_UnknownPath("/api/{rest:path}", _nothing_here))
    errors.install(app)
    # Event streams pass through as they are: the middleware leaves their content type alone.
    app.add_middleware(GZipMiddleware, minimum_size=COMPRESS_FROM_BYTES, compresslevel=5)
    app.add_middleware(BodyLimit)
    app.add_middleware(Edge)
    app.openapi = partial(document, app)  # type: ignore[method-assign]
    return app


class _UnknownPath(Route):
    """Keeps the dashboard's fallback page away from /api/, and leaves other methods their 405."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        return (match, child) if match is Match.FULL else (Match.NONE, {})


async def _nothing_here(_: Request) -> NoReturn:
    raise NotFound("there is nothing at this path")


@asynccontextmanager
async def _lifespan(parts: Parts, _: FastAPI) -> AsyncIterator[State]:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(parts.engine.dispose)
        stack.push_async_callback(parts.operator.stop)
        await parts.operator.begin()
        for feed in parts.feeds:
            stack.push_async_callback(feed.stop)
            await feed.start()
        yield State(parts=parts)
