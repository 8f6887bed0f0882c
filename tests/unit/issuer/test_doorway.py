"""The doorway of a container: the machine comes in to the issuer, and nobody else does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from issuer import doorway
from issuer.doorway import Doorway, gateway_in

ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth1\t000013AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth0\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.closing(writer):
        while block := await reader.read(1024):
            writer.write(block.upper())
            await writer.drain()


@asynccontextmanager
async def opened(guest: str) -> AsyncIterator[tuple[str, int]]:
    """Open a doorway to a server that answers in capitals; yield where to knock."""
    inner = await asyncio.start_server(_echo, "127.0.0.1", 0)
    way = Doorway(guest, inner.sockets[0].getsockname()[1])
    outer = await asyncio.start_server(way.meet, "127.0.0.1", 0)
    try:
        yield outer.sockets[0].getsockname()
    finally:
        outer.close()
        inner.close()


async def test_the_machine_comes_in():
    """What it says arrives, what is answered comes back, for several at a time."""
    async with opened("127.0.0.1") as (host, port):
        visits = [await asyncio.open_connection(host, port) for _ in range(3)]
        for number, (_, writer) in enumerate(visits):
            writer.write(f"hello {number}".encode())
        for number, (reader, writer) in enumerate(visits):
            async with asyncio.timeout(5):
                assert await reader.readexactly(7) == f"HELLO {number}".encode()
            writer.close()


async def test_others_are_turned_away():
    """A connection from any other address is closed before a byte is carried."""
    async with opened("172.18.0.1") as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"hello")
        async with asyncio.timeout(5):
            assert await _rest(reader) == b""
        writer.close()


async def test_an_issuer_that_is_away_ends_the_connection():
    """The visitor is not left waiting."""
    way = Doorway("127.0.0.1", 1)
    outer = await asyncio.start_server(way.meet, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*outer.sockets[0].getsockname())
    async with asyncio.timeout(5):
        assert await _rest(reader) == b""
    writer.close()
    outer.close()


async def test_only_so_many_come_in_at_once(monkeypatch: pytest.MonkeyPatch):
    """One more than the limit is turned away; when somebody leaves there is room again."""
    monkeypatch.setattr(doorway, "CONNECTIONS_MAX", 1)
    async with opened("127.0.0.1") as (host, port), asyncio.timeout(5):
        first_reader, first = await asyncio.open_connection(host, port)
        first.write(b"a")
        assert await first_reader.readexactly(1) == b"A"
        second_reader, second = await asyncio.open_connection(host, port)
        assert await _rest(second_reader) == b""
        second.close()
        first.close()
        while await _answered(host, port) != b"C":  # until the doorway has noticed
            pass


async def _answered(host: str, port: int) -> bytes:
    """Return what is answered to one who asks and leaves; nothing to one who is turned away."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(b"c")
        return await reader.read(1)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def _rest(reader: asyncio.StreamReader) -> bytes:
    """Return what still comes; a reset is an end, too."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


def test_the_gateway_is_read_from_what_linux_tells():
    """The default route's gateway, in the kernel's byte order; none on an internal network."""
    assert gateway_in(ROUTES) == "172.18.0.1"
    assert gateway_in(ROUTES.replace("010012AC", "00000000")) is None
    assert gateway_in(ROUTES.splitlines()[0]) is None
