"""Before the routes: who asks, and whether it asks too often. What is not open needs a token."""

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from client_api.auth.access import Access
from client_api.auth.principal import Principal
from client_api.auth.trouble import Refused
from client_api.problems import Problem
from client_api.web.errors import log, render
from client_api.web.state import parts_of

CLOSED = "/api/"
OPEN = frozenset({"/api/auth"})
"""The only path below /api/ that needs no token: it says where to get one."""


class Gate:
    """Lets in who bears a valid token, before any of the body is read."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; the caller is ``request.state.principal`` from here on."""
        if scope["type"] != "http" or not scope["path"].startswith(CLOSED):
            await self._app(scope, receive, send)
            return
        access = parts_of(Request(scope)).access
        address = scope["client"][0] if scope["client"] else None
        try:
            if scope["path"] in OPEN:
                await access.rates.signing_in(address)
            else:
                scope["state"]["principal"] = await _caller(access, scope, address)
        except Problem as problem:
            answer = render(problem.status, problem.detail, problem.errors, problem.headers)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


async def _caller(access: Access, scope: Scope, address: str | None) -> Principal:
    """Return the caller; raises Refused, Unavailable, TooMany.

    A valid token is never held up by how often others failed from its bearer's address.
    """
    try:
        principal = await access.verifier.verify(Headers(scope=scope).get("authorization"))
    except Refused as refused:
        await access.rates.failed(address)
        log.info("token_refused", reason=refused.reason or "none")
        raise
    await access.rates.known(principal.subject)
    return principal
