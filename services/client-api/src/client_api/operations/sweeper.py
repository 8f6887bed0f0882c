"""Forgets what is kept under idempotency keys for longer than a day: answers, chunks of loads."""

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from client_api.database import DATABASE_ERRORS, name_of
from client_api.operations.background import Background, pause
from client_api.store import bulk_keys, keys

EVERY_S = 600.0

log = structlog.get_logger("client_api.sweeper")


class Sweeper(Background):
    """Sweeps while the server runs; several servers do each other no harm."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Work with the server's engine."""
        self._engine = engine

    async def sweep(self) -> int:
        """Forget all that is old; return how much went."""
        gone = 0
        while True:
            async with self._engine.begin() as db:
                found = await keys.sweep(db) + await bulk_keys.sweep(db)
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
            await pause(EVERY_S)
