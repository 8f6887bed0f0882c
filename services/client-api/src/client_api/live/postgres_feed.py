"""Emails and served days from Postgres to the hub, by LISTEN on a connection of its own."""

import asyncio
import contextlib
import random
from collections.abc import Callable

import asyncpg
import structlog
from pydantic import SecretStr, ValidationError

from client_api.database import DATABASE_ERRORS
from client_api.live.events import EmailEvent, Kind, ServedEvent, Told
from client_api.live.hub import Hub

CHANNELS: dict[str, tuple[Kind, type[Told]]] = {
    "emails": ("email", EmailEvent),
    "served": ("served", ServedEvent),
}
"""The event and its data, by Postgres channel."""
CONNECT_LIMIT_S = 5.0
PROBE_EVERY_S = 10.0
PROBE_LIMIT_S = 5.0
BACKOFF_FIRST_S = 0.1
BACKOFF_MAX_S = 5.0

log = structlog.get_logger("client_api.live")


class PostgresFeed:
    """Listens for ever; a lost connection is made again, and pages told that they missed some."""

    def __init__(self, url: SecretStr, hub: Hub, on_crash: Callable[[BaseException], None]) -> None:
        """``on_crash`` is told when the task dies of what nobody foresaw."""
        self._url = url
        self._hub = hub
        self._on_crash = on_crash
        self._problem: str | None = "not connected yet"
        self._listening = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; returns once notifications from now on will be seen."""
        self._task = asyncio.create_task(self._run(), name="notifications")
        self._task.add_done_callback(self._done)
        await self._listening.wait()

    async def stop(self) -> None:
        """End listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def checks(self) -> dict[str, str | None]:
        """Return what is wrong with the connection."""
        return {"notifications": self._problem}

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._listening.set()
            self._on_crash(error)

    async def _run(self) -> None:
        pause_s = BACKOFF_FIRST_S
        while True:
            try:
                await self._listen()
                pause_s = BACKOFF_FIRST_S
            except DATABASE_ERRORS as error:
                self._problem = f"does not answer: {type(error).__name__}"
                log.warning("notifications_lost", error=type(error).__name__)
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            pause_s = min(2 * pause_s, BACKOFF_MAX_S)

    async def _listen(self) -> None:
        """Listen until the connection is lost."""
        connection = await asyncpg.connect(
            self._url.get_secret_value(),
            timeout=CONNECT_LIMIT_S,
            server_settings={"application_name": "client-api notifications"},
        )
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            for channel in CHANNELS:
                await connection.add_listener(channel, self._on_notification)
            if self._listening.is_set():
                self._hub.cut("missed")
            self._problem = None
            self._listening.set()
            while not lost.is_set():
                try:
                    async with asyncio.timeout(PROBE_EVERY_S):
                        await lost.wait()
                except TimeoutError:
                    await connection.execute("SELECT 1", timeout=PROBE_LIMIT_S)
            self._problem = "the connection was lost"
            log.warning("notifications_lost", error="connection closed")
        finally:
            connection.terminate()

    def _on_notification(self, _: object, __: int, channel: str, payload: object) -> None:
        event, shape = CHANNELS[channel]
        try:
            data = shape.model_validate_json(str(payload))
        except ValidationError:
            log.warning("notification_not_shown", channel=channel)
            return
        self._hub.publish(event, data.model_dump_json().encode())
