"""What Postgres announces on a channel, heard on a connection of its own."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
from pydantic import SecretStr

from mailer.database import TRANSIENT

LISTEN_RETRY_S = 1.0


async def listen(
    url: SecretStr,
    channel: str,
    heard: Callable[[str], None],
    on_retry: Callable[[Exception], None],
) -> None:
    """Tell ``heard`` the payload of each announcement, for ever, on a new connection when needed.

    After each connecting it hears an empty one: something may have been announced before.
    """

    def hear(_conn: Any, _pid: int, _channel: str, payload: object) -> None:
        heard(str(payload))

    while True:
        lost = asyncio.Event()
        try:
            conn = await asyncpg.connect(url.get_secret_value(), timeout=10)
            try:
                conn.add_termination_listener(lambda _conn, lost=lost: lost.set())
                await conn.add_listener(channel, hear)
                heard("")
                await lost.wait()
            finally:
                await conn.close(timeout=2)
        except TRANSIENT as error:
            on_retry(error)
        await asyncio.sleep(LISTEN_RETRY_S)


async def rest(
    seconds: float,
    listening: "asyncio.Task[None]",
    announced: asyncio.Event,
    stopping: asyncio.Event,
) -> None:
    """Wait for an announcement or the stop, so long at most; raises what ended ``listening``."""
    waits = {asyncio.create_task(announced.wait()), asyncio.create_task(stopping.wait())}
    done, late = await asyncio.wait(
        {listening, *waits}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
    )
    for task in late & waits:
        task.cancel()
    if listening in done:
        listening.result()
