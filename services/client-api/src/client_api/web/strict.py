"""Bodies are JSON as RFC 8259 has it: no NaN, no Infinity, no nesting without end; said once."""

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute

from client_api.once import Repeated
from client_api.problems import Invalid, WrongMediaType
from client_api.web.kept import again

JSON = "application/json"


class _StrictRequest(Request):
    async def json(self) -> Any:
        # Its error is a json.JSONDecodeError, too: FastAPI answers 422.
        return orjson.loads(await self.body())


def media_type(request: Request) -> str:
    """Return what a request says its body is, without parameters; empty when it says nothing."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def _refuse_repetition(request: Request) -> None:
    """Raise Invalid when a parameter is given twice: which one counts would be a guess."""
    names = [name for name, _ in request.query_params.multi_items()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Invalid(
            "the request is not valid",
            [(f"query.{name}"[:100], "is given twice") for name in twice],
        )


class StrictRoute(APIRoute):
    """A route whose body is read strictly; Python's own reader takes more than JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Hand the strict request to the route."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            _refuse_repetition(request)
            if self.body_field is not None and media_type(request) not in {JSON, ""}:
                raise WrongMediaType("send application/json")
            try:
                answer = await handler(_StrictRequest(request.scope, request.receive))
            except Repeated as repeated:
                return again(repeated.answer)
            # The request's transaction is still open: an idempotency key keeps the answer in it.
            request.state.answer = answer
            return answer

        return handle
