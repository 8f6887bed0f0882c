"""Lets the machine in where the issuer's loopback is a container's: ``python -m issuer.doorway``.

The issuer serves loopback alone, and a container's loopback is not the machine's. Docker brings
what comes to a published port from the gateway of the container's network, which is the machine
itself: that one may come in, all others are turned away. So what the issuer promises still holds,
as long as the port is published on the machine's loopback (``127.0.0.1:8020:8021``).
"""

import asyncio
import contextlib
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from issuer.logs import configure
from issuer.settings import EXIT_MISCONFIGURED, load

ROUTES = Path("/proc/net/route")
LOOPBACK = "127.0.0.1"
BLOCK_BYTES = 64 * 1024
CONNECTIONS_MAX = 200
CONNECT_LIMIT_S = 5.0
IDLE_LIMIT_S = 120.0


class DoorwaySettings(BaseSettings):
    """Where people knock, and where the issuer is."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    doorway_port: Annotated[int, Field(ge=1, le=65535)]
    """The port to publish; the issuer has another one, on loopback."""
    issuer_port: Annotated[int, Field(ge=1, le=65535)]


def gateway_in(routes: str) -> str | None:
    """Return the default gateway in what Linux tells in /proc/net/route; None without one."""
    for line in routes.splitlines()[1:]:
        _, destination, gateway, *_ = line.split()
        if int(destination, 16) == 0 and int(gateway, 16) != 0:
            return socket.inet_ntoa(struct.pack("<L", int(gateway, 16)))
    return None


class Doorway:
    """Carries bytes between the machine and the issuer."""

    def __init__(self, guest: str, issuer_port: int) -> None:
        """``guest`` is the only address that may come in."""
        self._guest = guest
        self._issuer_port = issuer_port
        self._open = 0

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        peer = writer.get_extra_info("peername")
        with contextlib.closing(writer):
            if peer[0] != self._guest or self._open >= CONNECTIONS_MAX:
                return
            self._open += 1
            try:
                # Whoever goes away, on either side, ends the connection; that is no news.
                with contextlib.suppress(OSError, TimeoutError):
                    await self._carry(reader, writer)
            finally:
                self._open -= 1

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            inner_reader, inner_writer = await asyncio.open_connection(LOOPBACK, self._issuer_port)
        with contextlib.closing(inner_writer):
            ways = [
                asyncio.create_task(_one_way(reader, inner_writer)),
                asyncio.create_task(_one_way(inner_reader, writer)),
            ]
            done, rest = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in rest:
                way.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
            for way in done:
                way.result()


async def _one_way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        async with asyncio.timeout(IDLE_LIMIT_S):
            block = await reader.read(BLOCK_BYTES)
        if not block:
            return
        writer.write(block)
        await writer.drain()


async def serve(settings: DoorwaySettings, guest: str) -> None:
    """Let ``guest`` in until told to stop."""
    doorway = Doorway(guest, settings.issuer_port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = await asyncio.start_server(doorway.meet, "0.0.0.0", settings.doorway_port)  # noqa: S104
    await stop.wait()
    # What is still on its way ends with the loop: waiting for it could take as long as it idles.
    server.close()


def main() -> int:
    """Serve, or say why not."""
    settings = load(DoorwaySettings)
    guest = gateway_in(ROUTES.read_text())
    if guest is None:
        sys.stderr.write("cannot start: this network has no gateway, so nobody could come in\n")
        return EXIT_MISCONFIGURED
    configure("doorway").info("lets in %s alone", guest)
    asyncio.run(serve(settings, guest))
    return 0


if __name__ == "__main__":
    sys.exit(main())
