"""Around every request: log line and count without personal data, safe headers, no bare error."""

import time
from functools import cache
from typing import Any
from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from client_api.web import spans
from client_api.web.errors import unexpected

SELF_ONLY = (
    "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'; connect-src 'self'"
)
FOR_EVER = "public, max-age=31536000, immutable"
"""The build names its assets by their content."""
ANSWERS = "/api/"
"""What is below tells of people: no cache keeps it, not even the browser's on disk."""

log = structlog.get_logger("client_api.access")


class Edge:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; raises only when the answer had begun before the failure."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with spans.around(scope):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.monotonic()
        scope["state"]["request_id"] = request_id = uuid4()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = str(request_id)
                _set_headers(scope, status, headers)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            response = await unexpected(error)
            if status:
                raise
            await response(scope, receive, send_with_headers)
        finally:
            _tell(scope, status, time.monotonic() - started)


@cache
def _page_policy(issuer: str) -> str:
    """Return the policy of the dashboard: beside us it talks to the issuer, to sign in."""
    return f"{SELF_ONLY} {issuer}"


def _set_headers(scope: Scope, status: int, headers: MutableHeaders) -> None:
    path = scope["path"]
    page = _page_policy(scope["state"]["parts"].access.origin)
    headers.setdefault("Content-Security-Policy", page)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    hashed = path.startswith("/assets/") and status in {200, 206, 304}
    kept = FOR_EVER if hashed else "no-store" if path.startswith(ANSWERS) else "no-cache"
    headers.setdefault("Cache-Control", kept)


def _tell(scope: dict[str, Any] | Scope, status: int, seconds: float) -> None:
    """Tell trace, log and Prometheus of a request; the last two of probes only when they fail."""
    route = getattr(scope.get("route"), "path", None)
    spans.describe(scope["method"], route, int(status))
    if route in {"/livez", "/readyz"} and status == 200:  # noqa: PLR2004
        return
    # The route's pattern, never the path or the query: those may hold names.
    scope["state"]["parts"].metrics.requested(
        scope["method"], route or "none", int(status), seconds
    )
    log.info(
        "request",
        method=scope["method"],
        route=route or "none",
        status=int(status),
        request_id=str(scope["state"]["request_id"]),
        ms=round(seconds * 1000, 1),
    )
