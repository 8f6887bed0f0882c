"""Server-sent events: one hub hands each event to every open page, in bounded memory."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Literal, Protocol

import orjson
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from client_api.problems import Unavailable

PENDING_MAX = 2000
"""Events that may wait for one page: some seconds of a busy shop, at most about 2 MB."""
SUBSCRIBERS_MAX = 200
HEARTBEAT_S = 15.0
RETRY_MS = 1000
"""How long a browser waits before it opens the stream again."""

CutReason = Literal["slow", "missed", "stopping"]


class Feed(Protocol):
    """A source of events: started with the server, stopped with it, asked for its health."""

    async def start(self) -> None:
        """Begin; returns once events from now on will be seen."""

    async def stop(self) -> None:
        """End, and wait for the end."""

    def checks(self) -> dict[str, str | None]:
        """Return by dependency what is wrong with it, or None."""


class Subscriber:
    """One open page: the events that wait for it, and why it was cut off, if it was."""

    def __init__(self) -> None:
        """Start with nothing to send."""
        self._pending: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._cut: CutReason | None = None

    def offer(self, event: bytes) -> None:
        """Queue one event; a page that has too many waiting is cut off and told so."""
        if self._cut is None:
            self._pending.append(event)
            if len(self._pending) > PENDING_MAX:
                self.cut("slow")
            self._wake.set()

    def cut(self, reason: CutReason) -> None:
        """End the stream after an event that says why; what still waits is given up."""
        if self._cut is None:
            self._cut = reason
            self._pending.clear()
            self._wake.set()

    async def events(self, heartbeat_s: float = HEARTBEAT_S) -> AsyncIterator[bytes]:
        """Yield the stream's bytes until the page is cut off; comments while nothing happens."""
        yield format_sse_event(comment="events from now on", retry=RETRY_MS)
        while self._cut is None:
            try:
                async with asyncio.timeout(heartbeat_s):
                    await self._wake.wait()
            except TimeoutError:
                yield KEEPALIVE_COMMENT
                continue
            self._wake.clear()
            batch = b"".join(self._pending)
            self._pending.clear()
            if batch:
                yield batch
        yield format_sse_event(event="cut", data_str=orjson.dumps({"reason": self._cut}).decode())


class Hub:
    """All open pages. Used from the event loop's thread only."""

    def __init__(self) -> None:
        """Start without any page."""
        self._subscribers: set[Subscriber] = set()
        self._stopping = False

    def __len__(self) -> int:
        """Return how many pages are open."""
        return len(self._subscribers)

    def publish(self, event: str, data: bytes, event_id: str) -> None:
        """Hand one event, its data already JSON, to every open page."""
        if self._subscribers:
            raw = format_sse_event(event=event, data_str=data.decode(), id=event_id)
            for subscriber in self._subscribers:
                subscriber.offer(raw)

    def subscribe(self) -> Subscriber:
        """Open a stream; raises Unavailable when there are too many, or the server stops."""
        if self._stopping or len(self._subscribers) >= SUBSCRIBERS_MAX:
            raise Unavailable("no further event stream can be opened now")
        subscriber = Subscriber()
        self._subscribers.add(subscriber)
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Forget a stream that ended."""
        self._subscribers.discard(subscriber)

    def cut(self, reason: CutReason) -> None:
        """Cut all pages off: browsers come back by themselves and read what they show again."""
        for subscriber in self._subscribers:
            subscriber.cut(reason)

    def close(self) -> None:
        """End every stream, so that open pages do not hold the server's stop up."""
        self._stopping = True
        self.cut("stopping")
