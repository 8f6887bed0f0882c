"""Whether Postgres answers, asked every few seconds for readiness."""

import asyncio
import time

from mailer.database import TRANSIENT, Pool

PERIOD_S = 2.0
STALE_S = 15.0


class PostgresVitals:
    """The last answer of Postgres, and how old it is."""

    def __init__(self, pool: Pool) -> None:
        """Start well: the pool has just been opened."""
        self._pool = pool
        self._problem: str | None = None
        self._asked = time.monotonic()

    def check(self) -> str | None:
        """Tell readiness whether Postgres answers."""
        age = time.monotonic() - self._asked
        return self._problem if age < STALE_S else f"no answer for {age:.0f} s"

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            try:
                async with asyncio.timeout(PERIOD_S * 2):
                    await self._pool.execute("SELECT 1")
                self._problem = None
                self._asked = time.monotonic()
            except TRANSIENT as error:
                self._problem = f"no answer: {type(error).__name__}"
            await asyncio.sleep(PERIOD_S)
