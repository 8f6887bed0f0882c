"""Counts over the whole shop for those who look often: of now while that is quick, else kept."""

import asyncio
import time
from datetime import UTC, datetime
from typing import NamedTuple

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from client_api.database import DATABASE_ERRORS, name_of
from client_api.store import stats
from client_api.store.stats import Counts

QUICK_S = 0.25
"""A shop that is counted in less is counted anew for everyone who looks."""
SHARE = 20
"""Counting takes at most one part in so many of the time, in a shop where it is not quick."""
STALE_S = 60.0
"""Nobody is given counts older than this."""

log = structlog.get_logger("client_api.counting")


class Taken(NamedTuple):
    """Counts, and when they were taken."""

    counts: Counts
    at: datetime


class Counting:
    """Counts for everybody: in a large shop nobody waits, but for the first who looks in a while.

    All rows must be visited to count them, seconds for ten million orders; so there the last counts
    are given out, and new ones are taken in the background.
    """

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self._taken: Taken | None = None
        self._took_s = 0.0
        self._began = float("-inf")
        self._task: asyncio.Task[Taken] | None = None

    async def look(self, engine: AsyncEngine) -> Taken:
        """Return counts that are at most ``STALE_S`` old; raises one of ``DATABASE_ERRORS``."""
        if self._taken is not None and self._took_s < QUICK_S:
            return await self._take(engine)
        age = time.monotonic() - self._began
        due = age > min(SHARE * self._took_s, STALE_S)
        if self._task is None or (due and self._task.done()):
            self._task = asyncio.create_task(self._take(engine))
            self._task.add_done_callback(_note)
        if self._taken is None or age > STALE_S:
            # Whoever goes away must not end the count for the others who wait.
            return await asyncio.shield(self._task)
        return self._taken

    async def stop(self) -> None:
        """Count no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _take(self, engine: AsyncEngine) -> Taken:
        async with engine.begin() as db:
            began, at = time.monotonic(), datetime.now(UTC)
            taken = Taken(await stats.count(db), at)
            took_s = time.monotonic() - began
        if began > self._began:
            self._taken, self._took_s, self._began = taken, took_s, began
        return taken


def _note(task: "asyncio.Task[Taken]") -> None:
    """Say that a count failed; whoever waits for it gets the error, too."""
    error = None if task.cancelled() else task.exception()
    if isinstance(error, DATABASE_ERRORS):
        log.warning("shop_not_counted", error=name_of(error))
    elif error is not None:
        log.error("shop_not_counted", error=type(error).__name__)
