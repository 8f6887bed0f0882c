"""Erasures are finished by themselves: whenever some are open, a run takes their copies away.

The audit says which are open, so nothing is forgotten when a server or a run ends early; whoever
erases next, the next server, or ``engage erase --open`` takes it up again.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from client_api.database import DATABASE_ERRORS, name_of
from client_api.operations.background import Background
from client_api.operations.runs import Work
from client_api.problems import Conflict
from common.errors import Misconfigured, Transient
from engage.erase import finish, open_ones
from engage.postgres import connect
from engage.settings import Settings

KIND = "erasure"
ACTOR = "client-api"
GATHER_S = 2.0
"""Erasures that come together are finished together."""
AGAIN_S = 30.0
ATTEMPTS = 20
"""Runs in a row that may leave some open, ten minutes' worth; then the next is waited for."""

Start = Callable[[str, str, dict[str, Any], Work], Awaitable[int]]

log = structlog.get_logger("client_api.erasures")


class Erasures(Background):
    """Starts a run whenever erasures are open, one at a time in all servers."""

    def __init__(self, settings: Settings, start: Start) -> None:
        """``start`` starts a run, and raises Conflict while one of its kind goes on."""
        self._settings = settings
        self._start = start
        self._wanted = asyncio.Event()

    def begin(self) -> None:
        """Begin to look; a server that cannot reach all of it leaves this to ``engage erase``."""
        try:
            _ = self._settings.kafka, self._settings.database
        except Misconfigured as error:
            log.warning("erasures_not_finished_here", reason=str(error))
            return
        self._wanted.set()
        super().begin()

    def wanted(self) -> None:
        """Look soon."""
        self._wanted.set()

    async def _follow(self) -> None:
        while True:
            await self._wanted.wait()
            attempts = ATTEMPTS
            while attempts:
                attempts -= 1
                await asyncio.sleep(GATHER_S)
                self._wanted.clear()
                try:
                    left = await asyncio.to_thread(self._open)
                    if not left:
                        break
                    await self._start(KIND, ACTOR, {"clients": left}, self._work)
                except Conflict:
                    pass  # it goes on already, here or in another server
                except (Misconfigured, Transient) as error:
                    log.warning("erasures_wait", reason=str(error))
                except DATABASE_ERRORS as error:
                    log.warning("erasures_wait", reason=name_of(error))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wanted.wait(), AGAIN_S)
                    attempts = ATTEMPTS  # another client was erased

    def _open(self) -> list[int]:
        with connect(self._settings.database) as database:
            return [one.client for one in open_ones(database)]

    def _work(self, watcher: Any) -> dict[str, Any]:
        return finish(self._settings, None, watcher, actor=ACTOR)
