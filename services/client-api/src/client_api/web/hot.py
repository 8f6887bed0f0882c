"""The reads that are asked most, straight to their endpoints.

FastAPI's routing, dependencies and their checks take longer than the query and its answer together.
So a request for one of these reads is recognised by its path, its caller and its query, by the same
models; whatever is not plainly right is left to the very same route behind, which says what is
wrong. A test holds that both ways give the same answers.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from fastapi import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from client_api.auth import Principal

ID_DIGITS_MAX = 18
"""What has so many is an id for sure; the route knows the rest."""
FIELDS_MAX = 20
METHODS = frozenset({"GET"})

Endpoint = Callable[..., Awaitable[Response]]


class _Read(NamedTuple):
    """One read: what its route says of it."""

    path: str
    """The log and the trail know a request by it."""
    endpoint: Endpoint
    scopes: frozenset[str]
    takes: frozenset[str]
    """Names of the endpoint's parameters."""
    query: type[BaseModel] | None
    id_name: str | None

    def arguments(self, scope: Scope, digits: str) -> dict[str, Any] | None:
        """Return what the endpoint takes; None when the request is not plainly right."""
        who: Principal | None = scope["state"].get("principal")
        if who is None or not who.scopes >= self.scopes:
            return None
        known: dict[str, Any] = {"parts": scope["state"]["parts"], "who": who}
        if self.query is not None:
            query = _query(self.query, scope["query_string"])
            if query is None:
                return None
            known["query"] = query
        elif scope["query_string"]:
            return None
        if self.id_name is not None:
            known[self.id_name] = int(digits)
        return {name: known[name] for name in self.takes}


class HotReads(BaseRoute):
    """All of these reads as one route, tried before the others."""

    def __init__(
        self, routes: Sequence[BaseRoute], reads: Mapping[Endpoint, type[BaseModel] | None]
    ) -> None:
        """Take what ``routes`` say of the endpoints; the models are those of their queries."""
        self._lists: dict[str, _Read] = {}
        self._rows: dict[tuple[str, str], _Read] = {}
        """By what stands before the id, and behind it."""
        for route in routes:
            if isinstance(route, APIRoute) and route.endpoint in reads:
                read = _read_of(route, reads[route.endpoint])
                before, name, behind = _around(route.path)
                if read.id_name is None:
                    self._lists[route.path] = read
                elif name == f"{{{read.id_name}}}":
                    self._rows[before, behind] = read
        found = {read.endpoint for read in (*self._lists.values(), *self._rows.values())}
        if found != reads.keys():
            raise ValueError("a hot read has no route of its own")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Take a request that is plainly right."""
        if scope["type"] != "http" or scope["method"] not in METHODS:
            return Match.NONE, {}
        path: str = scope["path"]
        digits = ""
        read = self._lists.get(path)
        if read is None:
            before, digits, behind = _around(path)
            read = self._rows.get((before, behind))
            plain = digits.isascii() and digits.isdigit() and digits[0] != "0"
            if read is None or not plain or len(digits) > ID_DIGITS_MAX:
                return Match.NONE, {}
        arguments = read.arguments(scope, digits)
        if arguments is None:
            return Match.NONE, {}
        return Match.FULL, {"route": read, "endpoint": read.endpoint, "arguments": arguments}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        answer = await scope["route"].endpoint(**scope["arguments"])
        await answer(scope, receive, send)


def _around(path: str) -> tuple[str, str, str]:
    """Part ``/api/things/7/parts`` into ``/api/things``, ``7`` and ``/parts``."""
    end = path.find("/", 1)
    end = path.find("/", end + 1) if end > 0 else -1
    if end < 0:
        return path, "", ""
    middle, slash, behind = path[end + 1 :].partition("/")
    return path[:end], middle, slash + behind


def _read_of(route: APIRoute, query: type[BaseModel] | None) -> _Read:
    takes = frozenset(inspect.signature(route.endpoint).parameters)
    ids = takes - {"parts", "who", "query"}
    scopes = [
        scope for asked in route.dependencies for scope in getattr(asked, "scopes", None) or ()
    ]
    return _Read(route.path, route.endpoint, frozenset(scopes), takes, query, next(iter(ids), None))


def _query(model: type[BaseModel], raw: bytes) -> BaseModel | None:
    """Return the query as its model has it; None when it is empty somewhere, repeated, or wrong."""
    if not raw:
        return model()
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX
        )
        fields = dict(pairs)
        if len(fields) < len(pairs) or not all(fields.values()):
            return None
        return model.model_validate(fields)
    except (ValueError, ValidationError):
        return None
