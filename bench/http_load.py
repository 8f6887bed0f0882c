"""Load over HTTP/1.1 at the least cost: many requests one after another, or so many a second."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bench.errors import BenchFailed

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
OK = b"HTTP/1.1 200"
ANSWER_LIMIT_S = 30.0


class Target(NamedTuple):
    """A server, and what every request to it carries."""

    host: str
    port: int
    headers: Mapping[str, str]

    def request(self, path: str) -> bytes:
        """Return the bytes that ask for a path."""
        lines = [f"GET {path} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return ("\r\n".join(lines)).encode() + HEAD_END


class Connection(asyncio.Protocol):
    """One connection that is kept alive; one request at a time."""

    def __init__(self) -> None:
        """Wait to be connected."""
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._needed = -1
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to the server."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP is one
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        """Tell who waits."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(BenchFailed(f"the server hung up: {error}"))

    def ask(self, request: bytes) -> "asyncio.Future[bytes]":
        """Send a request; the future is the whole answer, head and body."""
        assert self._transport is not None  # noqa: S101 - only connected ones are handed out
        self._received.clear()
        self._needed = -1
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        """Take a part of the answer."""
        self._received += data
        if self._needed < 0:
            end = self._received.find(HEAD_END)
            if end < 0:
                return
            head = bytes(self._received[:end]).lower() + b"\r\n"
            place = head.find(LENGTH)
            if place < 0:
                raise BenchFailed("an answer says no length")
            length = head[place + len(LENGTH) : head.index(b"\r\n", place)]
            self._needed = end + len(HEAD_END) + int(length)
        if len(self._received) >= self._needed and self._answer is not None:
            answer = bytes(self._received)
            if not answer.startswith(OK):
                self._answer.set_exception(BenchFailed(f"unexpected answer: {answer[:300]!r}"))
            else:
                self._answer.set_result(answer)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


async def connect(target: Target, number: int) -> list[Connection]:
    """Open connections."""
    loop = asyncio.get_running_loop()
    opened = []
    for _ in range(number):
        _, connection = await loop.create_connection(Connection, target.host, target.port)
        opened.append(connection)
    return opened


async def body(target: Target, path: str) -> bytes:
    """Return the body of one answer. Raises BenchFailed."""
    (connection,) = await connect(target, 1)
    try:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            answer = await connection.ask(target.request(path))
    finally:
        connection.close()
    return answer.partition(HEAD_END)[2]


async def closed_loop(
    target: Target, paths: Sequence[str], *, connections: int, seconds: float
) -> float:
    """Return requests a second when each connection asks again as soon as it is answered."""
    requests = itertools.cycle([target.request(path) for path in paths])
    opened = await connect(target, connections)
    began = time.monotonic()
    end = began + seconds
    try:
        async with asyncio.timeout(seconds + ANSWER_LIMIT_S):
            done = await asyncio.gather(*(_until(end, one, requests) for one in opened))
    finally:
        for one in opened:
            one.close()
    return sum(done) / (time.monotonic() - began)


async def _until(end: float, connection: Connection, requests: Iterator[bytes]) -> int:
    done = 0
    while time.monotonic() < end:
        await connection.ask(next(requests))
        done += 1
    return done


async def open_loop(
    target: Target, paths: Sequence[str], *, per_s: float, seconds: float, connections: int
) -> list[float]:
    """Return milliseconds from when each request was due until it was answered.

    Requests are due at a steady rate, whether or not earlier ones are answered.
    """
    requests = itertools.cycle([target.request(path) for path in paths])
    free: asyncio.Queue[Connection] = asyncio.Queue()
    opened = await connect(target, connections)
    for one in opened:
        free.put_nowait(one)
    took: list[float] = []

    async def ask(due: float) -> None:
        connection = await free.get()
        await connection.ask(next(requests))
        took.append((time.monotonic() - due) * 1000)
        free.put_nowait(connection)

    began = time.monotonic()
    try:
        async with asyncio.timeout(seconds + ANSWER_LIMIT_S), asyncio.TaskGroup() as asking:
            for number in range(int(per_s * seconds)):
                due = began + number / per_s
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                asking.create_task(ask(due))
    finally:
        for one in opened:
            one.close()
    return took
