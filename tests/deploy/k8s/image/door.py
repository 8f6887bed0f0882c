"""Passes connections on, each to what a name means at that moment: ``door PORT=HOST:PORT…``."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable

CHUNK = 65_536
CONNECT_LIMIT_S = 5.0


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction to its end."""
    with contextlib.suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()


def leading_to(host: str, port: int) -> Callable[..., Awaitable[None]]:
    """Return what serves a connection; where nobody answers, it is closed without a word."""

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                inner_reader, inner_writer = await asyncio.open_connection(host, port)
        except OSError as error:
            print(f"{host}:{port}: {error!r}", flush=True)
        else:
            await asyncio.gather(pass_on(reader, inner_writer), pass_on(inner_reader, writer))
            inner_writer.close()
        writer.close()

    return connect


async def serve(ways: list[str]) -> None:
    """Serve until told to stop."""
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    for way in ways:
        port, _, where = way.partition("=")
        host, _, inner = where.partition(":")
        # On all addresses: of a pod.
        await asyncio.start_server(leading_to(host, int(inner)), "0.0.0.0", int(port))  # noqa: S104
    await over.wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))
