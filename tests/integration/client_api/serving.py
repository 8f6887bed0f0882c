"""A running API inside the test's own event loop, on a free port."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from client_api.auth.access import Access
from client_api.auth.rules import AccessRules
from client_api.bounds import BulkBounds
from client_api.database import make_engine
from client_api.live.hub import Feed, Hub
from client_api.operations.operator import Operator
from client_api.operations.preview import Previews
from client_api.operations.runs import Runs
from client_api.store.reads import Reads
from client_api.web.app import create_app
from client_api.web.server import Server, make_server
from client_api.web.state import Parts
from common.clock import BusinessClock
from engage.settings import Settings as EngageSettings
from tests.tokens import Signed, issuer

START_LIMIT_S = 10
FeedMaker = Callable[[Hub], Feed]


@dataclass
class Api:
    """How a test talks to the server, and its insides."""

    http: httpx.AsyncClient
    engine: AsyncEngine
    hub: Hub
    server: Server

    async def client(self, **fields: Any) -> dict[str, Any]:
        """Create a client."""
        return await self.made("/api/clients", {"first_name": "Ada", **fields})

    async def order(self, client_id: int, **fields: Any) -> dict[str, Any]:
        """Create an order."""
        return await self.made("/api/orders", {"client_id": client_id, "amount": "10.00", **fields})

    async def made(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Post a body and return what it became."""
        answer = await self.http.post(path, json=body)
        assert answer.status_code == 201, answer.text
        row: dict[str, Any] = answer.json()
        return row

    async def load(self, what: str, rows: list[Any], *, dry_run: bool = False) -> dict[str, Any]:
        """Send rows to a bulk route; bytes go as they are."""
        lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
        answer = await self.http.post(
            f"/api/{what}/bulk",
            params={"dry_run": dry_run},
            content=b"\n".join(lines) + b"\n",
            headers={"Content-Type": "application/x-ndjson"},
        )
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    async def pages(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Follow the cursors of a list to its end."""
        items: list[dict[str, Any]] = []
        while True:
            answer = await self.http.get(path, params=params)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            items += page["items"]
            if page["next"] is None:
                return items
            params["cursor"] = page["next"]


def assert_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Check that an answer is a problem document of this status; return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    return document


async def until(holds: Callable[[], Awaitable[Any]], limit_s: float = 10) -> Any:
    """Ask again and again until the answer is true; return it."""
    async with asyncio.timeout(limit_s):
        while not (answer := await holds()):  # noqa: ASYNC110 - nobody could set an event
            await asyncio.sleep(0.01)
        return answer


async def until_someone_waits(admin: asyncpg.Connection) -> None:
    """Return once a transaction waits for another one's lock."""
    await until(lambda: admin.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))


async def _serve(server: Server) -> None:
    """Serve; an exit of the server must not end the tests' process."""
    try:
        await server.serve()
    except SystemExit as ended:
        raise RuntimeError(f"the server ended with {ended.code}") from None


@asynccontextmanager
async def running_api(
    url: str,
    *,
    clock: BusinessClock | None = None,
    feeds: tuple[FeedMaker, ...] = (),
    dashboard: Path | None = None,
    engage: EngageSettings | None = None,
    link_key: SecretStr | None = None,
    rules: AccessRules | None = None,
    bulk_bounds: BulkBounds | None = None,
    currency: str = "USD",
) -> AsyncIterator[Api]:
    """Serve on a free port until the block ends; requests bear a token with all scopes."""
    hub = Hub()
    engine = make_engine(SecretStr(url))
    parts = Parts(
        engine=engine,
        reads=Reads(SecretStr(url)),
        access=Access(rules or issuer().rules()),
        clock=clock or BusinessClock(),
        hub=hub,
        feeds=tuple(feed(hub) for feed in feeds),
        model_sandbox=True,
        operator=Operator(engage or EngageSettings(), Runs(engine)),
        previews=Previews(engine),
        link_key=link_key,
        bulk_bounds=bulk_bounds or BulkBounds(),
        currency=currency,
    )
    server = make_server(create_app(parts, dashboard), "127.0.0.1", 0, before_stop=hub.close)
    task = asyncio.create_task(_serve(server))
    try:
        async with asyncio.timeout(START_LIMIT_S):
            while not server.started:
                if task.done():
                    await task
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        base = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=base, timeout=30, auth=Signed()) as http:
            yield Api(http, parts.engine, hub, server)
    finally:
        server.should_exit = True
        await task
