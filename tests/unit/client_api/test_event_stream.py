"""An event stream holds nothing before it begins, and gives all back however it ends."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.types import Message

from client_api.auth import Principal, Scope
from client_api.auth.rates import Streams
from client_api.auth.trouble import TooMany
from client_api.live.events import KINDS
from client_api.live.hub import Hub
from client_api.web import events
from client_api.web.events import READABLE, EventStream, kinds_for
from client_api.web.state import Parts

SCOPE: dict[str, Any] = {"type": "http", "asgi": {"spec_version": "2.3"}}
LIMIT_S = 10
READER = frozenset({Scope.CLIENTS_READ})


class Server:
    """The parts that a stream needs, and one stream."""

    def __init__(self, *, expires_in_s: float = 60) -> None:
        self.hub = Hub()
        self.streams = Streams(1)
        self.who = Principal("mark", "Mark", READER, time.time() + expires_in_s)
        self.gone = asyncio.Event()

    def stream(self) -> EventStream:
        """Return a stream that has not begun."""
        parts = SimpleNamespace(hub=self.hub, access=SimpleNamespace(streams=self.streams))
        return EventStream(cast("Parts", parts), self.who, None)

    async def receive(self) -> Message:
        """Wait until the page hangs up."""
        await self.gone.wait()
        return {"type": "http.disconnect"}

    def is_free(self) -> bool:
        """Tell whether no stream is held any more: not at the hub, nor of its subject."""
        with self.streams.one(self.who.subject):
            return len(self.hub) == 0


async def test_a_stream_that_never_begins_holds_nothing() -> None:
    """A request that is cancelled before its answer begins leaves nothing behind."""
    server = Server()
    server.stream()
    assert server.is_free()


async def test_a_stream_that_is_cancelled_as_it_begins_holds_nothing() -> None:
    """Not even when the first byte could not be sent, before any event was waited for."""
    server = Server()
    begun = asyncio.Event()

    async def send(_: Message) -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(server.stream()(SCOPE, server.receive, send))
    async with asyncio.timeout(LIMIT_S):
        await begun.wait()
        assert len(server.hub) == 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert server.is_free()


async def test_a_page_that_hangs_up_is_forgotten() -> None:
    """The stream ends with the connection."""
    server = Server()
    sent: list[Message] = []
    begun = asyncio.Event()

    async def send(message: Message) -> None:
        sent.append(message)
        begun.set()

    task = asyncio.create_task(server.stream()(SCOPE, server.receive, send))
    async with asyncio.timeout(LIMIT_S):
        await begun.wait()
        server.gone.set()
        await task
    assert server.is_free()


async def test_a_page_that_takes_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is dead without a word is given up after a while."""
    monkeypatch.setattr(events, "SEND_LIMIT_S", 0.01)
    server = Server()

    async def send(_: Message) -> None:
        await asyncio.Event().wait()

    async with asyncio.timeout(LIMIT_S):
        with pytest.raises(TimeoutError):
            await server.stream()(SCOPE, server.receive, send)
    assert server.is_free()


async def test_a_stream_too_many_is_refused_and_the_first_goes_on() -> None:
    """Each subject may hold so many streams open."""
    server = Server()

    async def send(_: Message) -> None:
        return

    task = asyncio.create_task(server.stream()(SCOPE, server.receive, send))
    await asyncio.sleep(0)
    with pytest.raises(TooMany):
        await server.stream()(SCOPE, server.receive, send)
    assert len(server.hub) == 1
    server.gone.set()
    async with asyncio.timeout(LIMIT_S):
        await task
    assert server.is_free()


async def test_a_stream_ends_when_its_token_expires() -> None:
    """The page is told, so that it comes back with a new one."""
    server = Server(expires_in_s=0.01)
    sent: list[bytes] = []

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))

    async with asyncio.timeout(LIMIT_S):
        await server.stream()(SCOPE, server.receive, send)
    assert b'event: cut\ndata: {"reason":"expired"}' in b"".join(sent)
    assert server.is_free()


def test_every_kind_of_event_is_for_somebody_and_nobody_gets_what_is_not_his() -> None:
    """A kind that is new needs a scope, and a token opens the kinds of its own scopes alone."""
    assert frozenset().union(*READABLE.values()) == KINDS
    for scopes, kinds in (
        ({Scope.CLIENTS_READ}, {"score", "served"}),
        ({Scope.EMAILS_READ, Scope.OPS_READ}, {"episode", "email"}),
        (set(Scope), KINDS),
        (set(Scope) - set(READABLE), set()),
    ):
        assert kinds_for(Principal("mark", "Mark", frozenset(scopes), 0)) == kinds
