"""Five hundred open pages on one worker: all are told, and nothing of them stays."""

import asyncio
import gc
import resource
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from client_api.live.hub import Subscriber
from tests.integration.client_api.serving import Api, until
from tests.tokens import issuer

PAGES = 500
FILES = 4 * PAGES
LIMIT_S = 60
GROWTH_BYTES_MAX = 1_000_000


class Page:
    """An open page, as cheap as it gets: this test holds both ends of every connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, api: Api) -> "Page":
        """Open a page; returns once the stream has begun."""
        place = urlsplit(str(api.http.base_url))
        page = cls(*await asyncio.open_connection(place.hostname, place.port))
        bearer = issuer().bearer()["Authorization"]
        page._writer.write(
            b"GET /api/events HTTP/1.1\r\nHost: x\r\nAuthorization: "
            + bearer.encode()
            + b"\r\n\r\n"
        )
        assert b" 200 " in await page._reader.readline()
        await page.read(b"events from now on")
        return page

    async def read(self, what: bytes) -> None:
        """Read on until something was told."""
        await self._reader.readuntil(what)

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()


@asynccontextmanager
async def pages(api: Api) -> AsyncIterator[list[Page]]:
    """Hold the pages open; returns when the server has forgotten them."""
    opened = [await Page.open(api) for _ in range(PAGES)]
    try:
        yield opened
    finally:
        await asyncio.gather(*(page.close() for page in opened))
        await until(lambda: _nobody(api), LIMIT_S)


async def _nobody(api: Api) -> bool:
    return len(api.hub) == 0


async def test_five_hundred_pages_are_told_and_leave_nothing_behind(api: Api) -> None:
    """One event reaches them all; afterwards tasks and memory are where they were."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, FILES), hard), hard))
    try:
        before = len(asyncio.all_tasks())
        held: list[int] = []
        tracemalloc.start()
        for turn in range(3):
            async with asyncio.timeout(LIMIT_S), pages(api) as opened:
                assert len(api.hub) == PAGES
                api.hub.publish("email", b'{"turn":%d}' % turn)
                await asyncio.gather(*(page.read(b'{"turn":%d}' % turn) for page in opened))
            opened.clear()
            await until(lambda: _tasks(before), LIMIT_S)
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
        assert not [one for one in gc.get_objects() if isinstance(one, Subscriber)]
        # The first turn fills caches; what each page left behind would show in the others.
        assert held[2] - held[1] < GROWTH_BYTES_MAX
    finally:
        tracemalloc.stop()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def _tasks(before: int) -> bool:
    return len(asyncio.all_tasks()) <= before
