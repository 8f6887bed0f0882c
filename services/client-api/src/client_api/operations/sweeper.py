"""Forgets answers that are kept under idempotency keys for longer than a day."""

import asyncio
import random

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from client_api.database import DATABASE_ERRORS, name_of
from client_api.store import keys

EVERY_S = 600.0

log = structlog.get_logger("client_api.sweeper")


class Sweeper:
    """Sweeps while the server runs; several servers do each other no harm."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Work with the server's engine."""
        self._engine = engine
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Sweep no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def sweep(self) -> int:
        """Forget all that is old; return how many answers went."""
        gone = 0
        while True:
            async with self._engine.begin() as db:
                found = await keys.sweep(db)
            gone += found
            if not found:
                return gone

    async def _follow(self) -> None:
        while True:
            try:
                gone = await self.sweep()
                if gone:
                    log.info("answers_forgotten", number=gone)
            except DATABASE_ERRORS as error:
                log.warning("answers_not_forgotten", error=name_of(error))
            await asyncio.sleep(EVERY_S * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
