"""Server-sent events: one log of the latest, from which every open page is told its kinds."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Literal, NamedTuple, Protocol

import orjson
from fastapi.sse import format_sse_event

from client_api.live.events import KINDS, Kind
from client_api.problems import Unavailable

KEPT_MAX = 8192
KEPT_BYTES_MAX = 8 * 1024 * 1024
"""What is kept for pages that come back or fall behind: some seconds of a very busy shop."""
CHUNK_BYTES_MAX = 256 * 1024
"""What is handed to a page's connection at once; together with the log, all that it can hold."""
SUBSCRIBERS_MAX = 1000
PAUSE_PER_PAGE_S = 0.0005
"""To wake a page costs a fifth of this; so pages are woken less often the more there are, and a
burst of events is sent together."""
RESUME_S = 60.0
"""How long events are taken for nobody: the last page may come back."""
HEARTBEAT_S = 15.0
RETRY_MS = 1000
"""How long a browser waits before it opens the stream again."""

CutReason = Literal["slow", "missed", "stopping", "expired"]
ResetReason = Literal["slow", "missed", "gone"]


class Feed(Protocol):
    """A source of events: started with the server, stopped with it, asked for its health."""

    async def start(self) -> None:
        """Begin; returns once events from now on will be seen."""

    async def stop(self) -> None:
        """End, and wait for the end."""

    def checks(self) -> dict[str, str | None]:
        """Return by dependency what is wrong with it, or None."""


class Kept(NamedTuple):
    """One event of the log, as it goes out."""

    kind: Kind
    raw: bytes


class Log:
    """The latest events, numbered; older ones are forgotten. An id names a log and a number."""

    def __init__(self) -> None:
        """Begin without events, under a name of its own."""
        self._name = secrets.token_hex(4)
        self._events: deque[Kept] = deque()
        self._bytes = 0
        self.first = 1
        """The number of the oldest event that is kept."""
        self._joined: dict[frozenset[Kind], tuple[int, int, bytes]] = {}

    @property
    def next(self) -> int:
        """The number that the next event will have."""
        return self.first + len(self._events)

    def id_of(self, number: int) -> str:
        """Return the id of an event."""
        return f"{self._name}-{number}"

    def behind(self, event_id: str) -> int | None:
        """Return the number behind an id; None when what follows it is not known here."""
        name, _, number = event_id.rpartition("-")
        if name != self._name or not (number.isascii() and number.isdigit()):
            return None
        found = int(number) + 1
        return found if self.first <= found <= self.next else None

    def add(self, kind: Kind, data: bytes) -> None:
        """Keep an event as it goes out, made once for all pages."""
        raw = format_sse_event(event=kind, data_str=data.decode(), id=self.id_of(self.next))
        self._events.append(Kept(kind, raw))
        self._bytes += len(raw)
        while len(self._events) > KEPT_MAX or self._bytes > KEPT_BYTES_MAX:
            self._bytes -= len(self._events.popleft().raw)
            self.first += 1

    def since(self, number: int, kinds: frozenset[Kind]) -> tuple[bytes, int]:
        """Return events of some kinds from a number on, as bytes, and the number behind them.

        There may be none of them up to there. Most pages are at the same place and differ in few
        ways: the bytes are put together once for all that are told the same.
        """
        joined = self._joined.get(kinds)
        if joined is None or joined[0] != number or joined[1] <= number:
            joined = self._joined[kinds] = self._join(number, kinds)
        return joined[2], joined[1]

    def _join(self, number: int, kinds: frozenset[Kind]) -> tuple[int, int, bytes]:
        chosen: list[bytes] = []
        size = 0
        behind = number
        for kind, raw in islice(self._events, number - self.first, None):
            if kind in kinds:
                if chosen and size + len(raw) > CHUNK_BYTES_MAX:
                    break
                chosen.append(raw)
                size += len(raw)
            behind += 1
        return number, behind, b"".join(chosen)


class Subscriber:
    """One open page: how far it was told, and why it was cut off, if it was."""

    def __init__(self, log: Log, next_number: int | None, kinds: frozenset[Kind]) -> None:
        """Begin with the event of this number, or with the next one and a reset when it is None.

        ``kinds`` are those that the page is told.
        """
        self._log = log
        self._kinds = kinds
        self._next = log.next if next_number is None else next_number
        self._reset: ResetReason | None = "gone" if next_number is None else None
        self._cut: CutReason | None = None
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Tell the page what is new."""
        self._wake.set()

    def cut(self, reason: CutReason) -> None:
        """End the stream after an event that says why."""
        if self._cut is None:
            self._cut = reason
            self._wake.set()

    async def events(self, heartbeat_s: float = HEARTBEAT_S) -> AsyncIterator[bytes]:
        """Yield the stream's bytes until the page is cut off; comments while it is told nothing."""
        loop = asyncio.get_running_loop()
        yield self._place("events from now on", RETRY_MS)
        if self._reset is not None:
            yield self._told("reset", self._reset)
        due = loop.time() + heartbeat_s
        while self._cut is None:
            if self._next < self._log.first:
                self.cut("slow")
                break
            if self._next < self._log.next:
                chunk, self._next = self._log.since(self._next, self._kinds)
                if chunk:
                    yield chunk
                    due = loop.time() + heartbeat_s
                continue
            self._wake.clear()
            try:
                async with asyncio.timeout_at(due):
                    await self._wake.wait()
            except TimeoutError:
                # Events of other kinds have moved its place: it comes back to where it is now.
                yield self._place("ping")
                due = loop.time() + heartbeat_s
        if self._cut in {"slow", "missed"}:
            self._next = self._log.next
            yield self._told("reset", self._cut)
        yield format_sse_event(event="cut", data_str=_reason(self._cut))

    def _place(self, comment: str, retry: int | None = None) -> bytes:
        """Return where the page stands: an id, in an event without a word.

        A browser takes the id and tells nobody of the event. The parsers that others use hand on
        an id with an event alone, so this one has a name, and a line of data with nothing in it.
        """
        place = self._log.id_of(self._next - 1)
        return format_sse_event(comment=comment, event="place", data_str="", id=place, retry=retry)

    def _told(self, event: str, reason: str | None) -> bytes:
        """Return an event of this page alone; its id is where the page stands afterwards."""
        place = self._log.id_of(self._next - 1)
        return format_sse_event(event=event, data_str=_reason(reason), id=place)


class Hub:
    """All open pages. Used from the event loop's thread only, but for ``wanted``."""

    def __init__(self) -> None:
        """Start without any page."""
        self._log = Log()
        self._subscribers: set[Subscriber] = set()
        self._left_at = -RESUME_S
        self._waking: asyncio.TimerHandle | None = None
        self._woken_at = 0.0
        self._stopping = False

    def __len__(self) -> int:
        """Return how many pages are open."""
        return len(self._subscribers)

    def wanted(self) -> bool:
        """Tell whether events are for anybody: an open page, or one that may still come back."""
        return bool(self._subscribers) or time.monotonic() - self._left_at < RESUME_S

    def publish(self, kind: Kind, data: bytes) -> None:
        """Tell of one event every page that is told its kind; the data is JSON already."""
        if not self.wanted():
            return
        self._log.add(kind, data)
        if self._waking is None and self._subscribers:
            loop = asyncio.get_running_loop()
            due = self._woken_at + PAUSE_PER_PAGE_S * len(self._subscribers)
            self._waking = loop.call_at(max(due, loop.time()), self._wake)

    def _wake(self) -> None:
        self._waking = None
        self._woken_at = asyncio.get_running_loop().time()
        for subscriber in self._subscribers:
            subscriber.wake()

    @contextmanager
    def page(
        self, last_event_id: str | None = None, kinds: frozenset[Kind] = KINDS
    ) -> Iterator[Subscriber]:
        """Open a stream behind an id, or from now on; it is forgotten at the end of the block.

        Raises Unavailable when there are too many, or the server stops.
        """
        if self._stopping or len(self._subscribers) >= SUBSCRIBERS_MAX:
            raise Unavailable("no further event stream can be opened now")
        if not self.wanted():
            # Nobody was here, and nothing was taken: no id leads on from before.
            self._log = Log()
        log = self._log
        number = log.next if last_event_id is None else log.behind(last_event_id)
        subscriber = Subscriber(log, number, kinds)
        self._subscribers.add(subscriber)
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)
            self._left_at = time.monotonic()

    def cut(self, reason: CutReason) -> None:
        """Cut all pages off: browsers come back by themselves and read what they show again."""
        if reason == "missed":
            # Those who were between two streams missed as much.
            self._log = Log()
        for subscriber in self._subscribers:
            subscriber.cut(reason)

    def close(self) -> None:
        """End every stream, so that open pages do not hold the server's stop up."""
        self._stopping = True
        if self._waking is not None:
            self._waking.cancel()
        self.cut("stopping")


def _reason(reason: str | None) -> str:
    return orjson.dumps({"reason": reason}).decode()
