"""A limit on bodies, so that no caller fills the memory; bulk loads have bounds of their own."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from client_api.web.errors import render

BYTES_MAX = 1024 * 1024
"""No single row or decision comes near it."""
DETAIL = f"a body may have at most {BYTES_MAX} bytes"
STREAMED = "/bulk"


class BodyLimit:
    """Refuses bodies that say they are too long, and stops reading those that turn out to be."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].endswith(STREAMED):
            await self._app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "0")
        if not told.isdigit() or int(told) > BYTES_MAX:
            response = render(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, DETAIL)
            await response(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > BYTES_MAX:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, DETAIL)
            return message

        await self._app(scope, counted, send)
