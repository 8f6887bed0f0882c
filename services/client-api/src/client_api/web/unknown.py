"""What no route below /api/ answers: 405 where another method would do, else 404.

Starlette's own 405 names the methods of one route alone, and it takes ``bulk`` for an odd id when
only the path of an id has the method.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from client_api.problems import NotFound

METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
NOT_ALLOWED = 405


def _refuse(allowed: Iterable[str]) -> NoReturn:
    raise HTTPException(NOT_ALLOWED, headers={"Allow": ", ".join(sorted(allowed))})


class Fixed(BaseRoute):
    """Refuses other methods of paths without an id, before a route with one takes them."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        """``routes`` are all of the API's."""
        self._methods: dict[str, set[str]] = {}
        for route in routes:
            if isinstance(route, Route) and "{" not in route.path:
                self._methods.setdefault(route.path, set()).update(route.methods or ())

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Take a request that its path's own routes do not."""
        methods: Mapping[str, set[str]] = self._methods
        if scope["type"] != "http" or scope["path"] not in methods:
            return Match.NONE, {}
        own = scope["method"] in methods[scope["path"]]
        return (Match.NONE, {}) if own else (Match.FULL, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 405."""
        del receive, send
        _refuse(self._methods[scope["path"]])


class Unknown(Route):
    """The last of the API's routes; it takes whatever is left, by any method."""

    def __init__(self, path: str, others: Sequence[BaseRoute]) -> None:
        """``others`` are the routes before it."""
        super().__init__(path, self._say)
        self.methods = None
        self._others = tuple(others)

    async def _say(self, request: Request) -> NoReturn:
        allowed = [method for method in METHODS if self._takes(request, method)]
        if allowed:
            _refuse(allowed)
        raise NotFound("there is nothing at this path")

    def _takes(self, request: Request, method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in self._others)
