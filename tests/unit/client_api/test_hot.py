"""Hot reads take a short way past FastAPI; both ways answer the same, to everything."""

import time
from datetime import date
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import generate_latest
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as RequestScope

from client_api.auth import Principal, Scope
from client_api.metrics import Metrics
from client_api.store import curves, scores
from client_api.web import cursors
from client_api.web.app import HOT, describe
from client_api.web.hot import HotReads
from common.policy import ShopPolicy

ALL = frozenset(Scope)
DOCUMENT = ShopPolicy().model_dump_json()
FOUND: dict[str, dict[str, Any]] = {
    curves.FRAME: {"as_of": date(2026, 1, 1), "document": DOCUMENT},
    scores.READ: {
        **dict.fromkeys(("entry", "exit", "crossing_day", "lapse_day", "episode_id")),
        **dict.fromkeys(("client_id", "merged_version", "policy_version"), 1),
        "as_of": date(2026, 1, 1),
        "order_days": 0,
        "merged": "[]",
        "document": DOCUMENT,
    },
}
"""What is found, by the statement."""


class Rows:
    """Reads that find a client without orders, and nothing else; they tell what they were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[Any], bool]] = []

    async def rows(self, statement: str, values: list[Any], *, search: bool = False) -> list[Any]:
        """Note a statement."""
        self.asked.append((statement, values, search))
        return [FOUND[statement]] if statement in FOUND else []


class Inside:
    """The application's router as its outer layers leave it, and how it was reached."""

    def __init__(self, app: FastAPI, scopes: frozenset[Scope]) -> None:
        self.reads, self.metrics = Rows(), Metrics()
        self._app: ASGIApp = app.build_middleware_stack()
        self._who = Principal("mark", "Mark", scopes, time.time() + 60)

    async def __call__(self, scope: RequestScope, receive: Receive, send: Send) -> None:
        """Serve one request, let in already."""
        rates = SimpleNamespace(known=_nothing, unknown=_nothing)
        verifier = SimpleNamespace(verify=self._verified)
        access = SimpleNamespace(rates=rates, verifier=verifier, origin="http://issuer")
        scope["state"] = {
            "parts": SimpleNamespace(
                reads=self.reads,
                access=access,
                currency="EUR",
                operator=SimpleNamespace(zone=ZoneInfo("Europe/Rome")),
                metrics=self.metrics,
                trust_traceparent=False,
            )
        }
        scope["app"] = None
        await self._app(scope, receive, send)

    async def _verified(self, _: object) -> Principal:
        return self._who


async def _nothing(_: object) -> None:
    return


def _app(*, hot: bool) -> FastAPI:
    app = describe()
    if not hot:
        routes = app.router.routes
        routes[:] = [route for route in routes if not isinstance(route, HotReads)]
    return app


BOTH = {hot: _app(hot=hot) for hot in (True, False)}
CURSORS = [
    cursors.encode("id", 7),
    cursors.encode("score", 0.5, 7),
    cursors.encode("score", None, 7),
    cursors.encode("-value", 0.5, "7-1"),
    "nonsense",
]
QUERIES = [
    *("", "limit=1", "limit=200", "limit=0", "limit=201", "limit=1.0", "limit=%201", "limit=+1"),
    *("limit=", "limit", "limit=1&limit=2", "limit=1&", "&limit=1", "limit=a", "other=1", "=1"),
    *("state=active", "state=held", "state=none", "state=", "search=an", "search=%00", "search="),
    *("search=%C3%A9", "search=%ff", "search=a%26b", "search=a+b", "search=12", "search=a;limit=3"),
    *("sort=id", "sort=-score", "sort=score", "sort=-created", "sort=none", "client_id=7"),
    *("client_id=0", "client_id=7&limit=3", "client_id=9999999999999999999", "limit=%EF%BC%91"),
    *(f"cursor={cursor}" for cursor in CURSORS),
    *(f"sort=score&cursor={cursor}" for cursor in CURSORS),
]
IDS = [
    "1",
    "0",
    "007",
    "-1",
    "+1",
    "1.0",
    "1e3",
    "9" * 18,
    "9" * 19,
    "9" * 20,
    "%31",
    "\u0661",
    "a",
    "",
]
DAYS = [
    *("", "from=2026-01-01", "from=2026-01-01&to=2026-02-01", "from=2026-02-01&to=2026-01-01"),
    *(
        "from=2026-1-1",
        "from=",
        "begin=2026-01-01",
        "from=2020-01-01&to=2026-01-01",
        "to=9999-12-31",
    ),
]
PATHS = [
    *(
        f"/api/{what}?{query}"
        for what in ("clients", "orders", "emails", "episodes")
        for query in QUERIES
    ),
    *(f"/api/clients/{client}{part}" for client in IDS for part in ("", "/score", "/curve")),
    *(f"/api/clients/7/curve?{query}" for query in DAYS),
    *(
        "/api/clients/7/score/",
        "/api/clients/7/score?x=1",
        "/api/clients/7/other",
        "/api/orders/7/score",
    ),
    *("/api/clients/1?x=1", "/api/clients/1?", "/api/clients/1/", "/api/clients/", "/api/orders/"),
]


@pytest.mark.parametrize("scopes", [ALL, ALL - {Scope.PII_READ}, frozenset({Scope.POLICY_READ})])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
async def test_both_ways_answer_the_same(method: str, scopes: frozenset[Scope]) -> None:
    """Status, body, headers, statements and what is counted under which route: for what is right,
    odd, wrong or not allowed.
    """
    different, seen = [], set()
    for path in PATHS:
        told = []
        for app in BOTH.values():
            inside = Inside(app, scopes)
            transport = httpx.ASGITransport(cast("Any", inside))
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
                answer = await http.request(method, path)
            headers = {**answer.headers}
            headers.pop("x-request-id", None)
            counted = [
                line
                for line in generate_latest(inside.metrics.registry).decode().splitlines()
                if line.startswith("engage_api_requests_total")
            ]
            seen.add((urlsplit(path).path.rpartition("/")[2], answer.status_code))
            told.append((answer.status_code, answer.content, headers, inside.reads.asked, counted))
        if told[0] != told[1]:
            different.append((path, told))
    assert not different
    if scopes == ALL and method == "GET":
        assert {(part, status) for part in ("score", "curve") for status in (200, 422)} <= seen


async def test_the_short_way_is_taken() -> None:
    """What is plainly right never reaches FastAPI's router."""
    (hot,) = [route for route in BOTH[True].router.routes if isinstance(route, HotReads)]
    who = Principal("mark", "Mark", ALL, 0)
    for path, query in (
        ("/api/clients", b"limit=50&sort=score"),
        ("/api/clients/7", b""),
        ("/api/clients/7/score", b""),
        ("/api/clients/7/curve", b"from=2026-01-01"),
        ("/api/orders", b"client_id=7"),
        ("/api/episodes", b"client_id=7"),
        ("/api/emails", b"state=held"),
    ):
        scope = {"type": "http", "method": "GET", "path": path, "query_string": query}
        scope["state"] = {"principal": who, "parts": None}
        match, child = hot.matches(scope)
        assert match.name == "FULL", path
        assert child["endpoint"] in HOT
