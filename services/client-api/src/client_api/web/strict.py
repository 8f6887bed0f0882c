"""Bodies are JSON as RFC 8259 has it: no NaN, no Infinity, no nesting without end."""

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute


class _StrictRequest(Request):
    async def json(self) -> Any:
        # Its error is a json.JSONDecodeError, too: FastAPI answers 422.
        return orjson.loads(await self.body())


class StrictRoute(APIRoute):
    """A route whose body is read strictly; Python's own reader takes more than JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Hand the strict request to the route."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(_StrictRequest(request.scope, request.receive))

        return handle
