"""This machine and no other: what may be bound, called and redirected to."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
ORIGINS = r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?"
"""A regular expression of the origins whose pages may ask for tokens."""


def is_loopback(url: str) -> bool:
    """Tell whether an address is http, on this machine, and nothing more than an address."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    plain = parts.username is None and parts.password is None and not parts.fragment
    return parts.scheme == "http" and parts.hostname in HOSTS and plain


class LoopbackOnly:
    """Answers nobody who comes from elsewhere, or by a name that is not this machine's.

    The name matters, too: a page of another site could have its own name lead here.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            client = scope["client"]
            named = Headers(scope=scope).get("host", "")
            if client is None or client[0] not in HOSTS or not is_loopback(f"http://{named}"):
                await PlainTextResponse("on this machine only", 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)
