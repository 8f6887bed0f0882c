"""The application: routes, errors, dashboard, and what lives as long as the server."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel
from starlette.middleware.gzip import GZipMiddleware

from client_api.shapes.curves import CurveQuery
from client_api.shapes.episodes import EpisodesQuery
from client_api.shapes.requests import ClientsQuery, OrdersQuery
from client_api.web import (
    access,
    audit,
    bulk,
    bulk_out,
    clients,
    curves,
    docs,
    effect,
    emails,
    episodes,
    errors,
    events,
    exports,
    health,
    ledger,
    lineage,
    operations,
    orders,
    overview,
    policies,
    previews,
    runs,
    suppressions,
    unsubscribe,
    what_ifs,
)
from client_api.web.gate import Gate
from client_api.web.hot import Endpoint, HotReads
from client_api.web.limits import BodyLimit
from client_api.web.middleware import Edge
from client_api.web.openapi import document
from client_api.web.state import Parts, State
from client_api.web.unknown import Fixed, Unknown
from client_api.web.veil import Veil

DESCRIPTION = "Clients, orders, scores and the emails written to clients at risk."
COMPRESS_FROM_BYTES = 1024

ROUTES = (
    *(bulk_out, bulk, clients, orders, emails),
    *(overview, curves, exports, episodes, lineage, suppressions, ledger, effect),
    *(policies, previews, operations, runs, what_ifs, events, audit, access, health, unsubscribe),
)
"""In the order in which the API's own document shows them, and in which a request tries them:
``bulk`` is no id."""

HOT: dict[Endpoint, type[BaseModel] | None] = {
    clients.list_clients: ClientsQuery,
    clients.read_client: None,
    clients.read_score: None,
    curves.read_curve: CurveQuery,
    orders.list_orders: OrdersQuery,
    episodes.list_episodes: EpisodesQuery,
    emails.list_emails: EpisodesQuery,
}
"""What is asked most, with the model of its query, if it has one."""

UNTOLD: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "auto_configure": False,
}
"""FastAPI's own tells paths, queries and the texts of errors; ours is in ``web.spans``."""

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[State]]


def create_app(parts: Parts, dashboard: Path | None) -> FastAPI:
    """Build the application around its adapters; ``dashboard`` is the built page, if any."""
    app = describe(partial(_lifespan, parts))
    app.router.routes.append(docs.page(dashboard))
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
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        telemetry=UNTOLD,
    )
    routes = [route for part in ROUTES for route in part.router.routes]
    app.router.routes += [HotReads(routes, HOT), Fixed(routes)]
    for part in ROUTES:
        app.include_router(part.router)
    app.router.routes.append(Unknown("/api/{rest:path}", app.router.routes))
    errors.install(app)
    app.add_middleware(Veil)
    # Event streams pass through as they are: the middleware leaves their content type alone.
    app.add_middleware(GZipMiddleware, minimum_size=COMPRESS_FROM_BYTES, compresslevel=5)
    app.add_middleware(BodyLimit)
    app.add_middleware(Gate)
    app.add_middleware(Edge)
    app.openapi = partial(document, app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(parts: Parts, _: FastAPI) -> AsyncIterator[State]:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(parts.engine.dispose)
        await parts.reads.begin()
        stack.push_async_callback(parts.reads.stop)
        stack.push_async_callback(parts.counting.stop)
        stack.push_async_callback(parts.operator.stop)
        stack.push_async_callback(parts.access.stop)
        parts.access.begin()
        await parts.operator.begin()
        if parts.flow is not None:
            stack.push_async_callback(parts.flow.stop)
            parts.flow.begin()
        for feed in parts.feeds:
            stack.push_async_callback(feed.stop)
            await feed.start()
        yield State(parts=parts)
