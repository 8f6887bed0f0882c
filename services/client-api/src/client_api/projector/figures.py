"""Keeps the daily figures true: counts anew after a day switch, and when something has changed."""

import asyncio
import contextlib
from datetime import date

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from client_api.database import DATABASE_ERRORS, name_of
from client_api.store import figures
from common.clock import BusinessClock

LOOK_EVERY_S = 1.0
SHARE = 20
"""Counting takes at most one part in so many of the time: a count of a second, every 20 seconds."""

log = structlog.get_logger("client_api.projector")


class Figures:
    """The one who counts. What cannot be counted now is counted later, and logged."""

    def __init__(self, engine: AsyncEngine, clock: BusinessClock, currency: str) -> None:
        """``clock`` tells up to when effects are measured; ``currency`` is the shop's."""
        self._engine = engine
        self._clock = clock
        self._currency = currency
        self._seen: int | None = None
        self._problem: str | None = None
        self.wanted = asyncio.Event()
        """Set it to have the figures counted soon, whatever has changed."""

    def check(self) -> str | None:
        """Return why the figures are not counted, if they are not."""
        return self._problem

    async def run(self, stop: asyncio.Event) -> None:
        """Count until told to stop."""
        ended = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                pause_s = await self._turn()
                await _first(ended, pause_s)
                if not stop.is_set() and not self.wanted.is_set():
                    await _first(ended, LOOK_EVERY_S, self.wanted)
        finally:
            ended.cancel()

    async def _turn(self) -> float:
        """Look, and count if there is something new; return how long to rest at least."""
        wanted, started = self.wanted.is_set(), asyncio.get_running_loop().time()
        self.wanted.clear()
        try:
            async with self._engine.connect() as db:
                seen = await figures.changes(db)
            if wanted or seen != self._seen:
                await self.count()
                self._seen = seen
                self._problem = None
        except DATABASE_ERRORS as error:
            self._problem = name_of(error)
            log.warning("figures_not_counted", error=self._problem)
            self._seen = None
        return (SHARE - 1) * (asyncio.get_running_loop().time() - started)

    async def count(self) -> date | None:
        """Count the served day's figures now; return the day, None before any is served."""
        async with self._engine.begin() as db:
            return await figures.count(db, self._clock.now(), self._currency)


async def _first(
    ended: "asyncio.Task[bool]", seconds: float, event: asyncio.Event | None = None
) -> None:
    """Wait so long, or until the process ends or the event is set."""
    waiting = {ended}
    if event is not None:
        waiting.add(asyncio.create_task(event.wait()))
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting - {ended}:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
