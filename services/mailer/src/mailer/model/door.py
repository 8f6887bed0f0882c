"""The door to OpenRouter: one HTTP exchange, bounded in size, never redirected, never unpacked."""

import ssl
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, NamedTuple

import httpx
from pydantic import SecretStr

CONNECT_TIMEOUT_S = 10.0
CALLS_A_CLIENT = 4
"""httpx looks at every connection of a client for every request: with hundreds of calls in flight,
many clients of few connections each cost a third of one client's time."""


class Unreadable(Exception):
    """The reply's body goes beyond its bound, or is packed so that it might."""


class TooLate(Exception):
    """So much time passed before the request could be sent that it may not be sent any more."""


class Response(NamedTuple):
    """A whole reply."""

    status: int
    headers: httpx.Headers
    body: bytes


@asynccontextmanager
async def clients_for(
    key: SecretStr, concurrency: int, *, loopback: bool
) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Make HTTP clients for so many calls at once, and two more: they are closed at the end.

    No redirects, no compression (a small body may unpack to a huge one). On loopback, proxies named
    by the environment are not asked.
    """
    trust = httpx.create_ssl_context(trust_env=not loopback)  # one for all: it is large
    async with AsyncExitStack() as open_clients:
        yield [
            await open_clients.enter_async_context(_client(key, trust, trust_env=not loopback))
            for _ in range((concurrency + 2) // CALLS_A_CLIENT + 1)
        ]


def _client(key: SecretStr, trust: ssl.SSLContext, *, trust_env: bool) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        headers={
            "Authorization": f"Bearer {key.get_secret_value()}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        },
        follow_redirects=False,
        verify=trust,
        trust_env=trust_env,
        # The deadline of a whole call bounds reading and writing.
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
        limits=httpx.Limits(
            max_connections=CALLS_A_CLIENT, max_keepalive_connections=CALLS_A_CLIENT
        ),
    )


class Door:
    """Sends requests below one base URL."""

    def __init__(self, clients: Sequence[httpx.AsyncClient], base_url: str) -> None:
        """Send by ``clients``, each in turn; ``base_url`` ends without a slash."""
        self._busy = dict.fromkeys(range(len(clients)), 0)
        self._clients = clients
        self._base_url = base_url

    async def get(self, path: str, bytes_max: int) -> Response:
        """Ask for something; raises httpx.HTTPError and Unreadable."""
        return await self._send("GET", path, None, bytes_max, {})

    async def post(
        self, path: str, content: dict[str, Any], bytes_max: int, *, send_before: float | None
    ) -> Response:
        """Send something; raises httpx.HTTPError, Unreadable and TooLate.

        ``send_before`` is a time of the monotonic clock: the request begins before it, or never.
        """

        async def look_at_the_clock(event: str, _info: Any) -> None:
            if event.endswith("send_request_headers.started"):
                _in_time(send_before)

        _in_time(send_before)
        extensions = {} if send_before is None else {"trace": look_at_the_clock}
        return await self._send("POST", path, content, bytes_max, extensions)

    async def _send(
        self,
        method: str,
        path: str,
        content: dict[str, Any] | None,
        bytes_max: int,
        extensions: dict[str, Any],
    ) -> Response:
        body = bytearray()
        headers = {"X-OpenRouter-Metadata": "enabled"} if method == "POST" else {}
        with self._idlest() as client:
            async with client.stream(
                method, self._base_url + path, json=content, headers=headers, extensions=extensions
            ) as response:
                if response.headers.get("content-encoding", "identity") != "identity":
                    raise Unreadable
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) > bytes_max:
                        raise Unreadable
        return Response(response.status_code, response.headers, bytes(body))

    @contextmanager
    def _idlest(self) -> Iterator[httpx.AsyncClient]:
        """Use the client that is the least busy, the first of these: it has open connections."""
        index = min(self._busy, key=self._busy.__getitem__)
        self._busy[index] += 1
        try:
            yield self._clients[index]
        finally:
            self._busy[index] -= 1


def _in_time(send_before: float | None) -> None:
    if send_before is not None and time.monotonic() > send_before:
        raise TooLate
