"""Masks what is personal in every answer to a caller without ``pii:read``, whatever the route.

It stands around all routes, so that none can forget it.
"""

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from client_api.auth import Principal
from client_api.auth import Scope as Permission
from client_api.shapes.masking import hidden

JSON = "application/json"


class Veil:
    """Masks JSON answers; event streams hold nothing personal and pass as they are."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        who: Principal | None = scope.get("state", {}).get("principal")
        if who is None or who.may(Permission.PII_READ):
            await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, _Masking(send))


class _Masking:
    """Holds a JSON answer back until it is whole; pages and rows are small."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if Headers(raw=message["headers"]).get("content-type", "").startswith(JSON):
                self._start = message
                return
        elif self._start is not None and message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._masked(self._start)
            return
        await self._send(message)

    async def _masked(self, start: Message) -> None:
        body = orjson.dumps(hidden(orjson.loads(self._body))) if self._body else b""
        MutableHeaders(raw=start["headers"])["Content-Length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})
