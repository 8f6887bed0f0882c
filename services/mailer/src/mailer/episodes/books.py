"""The ledger's sums as gauges for Prometheus, read from Postgres again and again."""

import asyncio
import time
from typing import get_args

from common.logs import Logger
from mailer.database import TRANSIENT, Pool
from mailer.episodes.states import State
from mailer.metrics import Metrics

PERIOD_S = 5.0
SHARE_MAX = 0.05
"""Of the time at most so much goes into asking: a very large ledger is read less often."""
BOOKS = "SELECT state, episodes, by_history FROM ledger_books"


class Books:
    """How many episodes are in each state, and whether that is all of them."""

    def __init__(self, pool: Pool, metrics: Metrics, log: Logger) -> None:
        """Know nothing yet."""
        self._pool = pool
        self._metrics = metrics
        self._log = log

    async def run(self) -> None:
        """Read for ever; while Postgres is away the figures stay, and grow old visibly."""
        while True:
            began = time.monotonic()
            try:
                await self.read()
            except TRANSIENT as error:
                self._log.warning("the ledger could not be read", error=type(error).__name__)
            took = time.monotonic() - began
            await asyncio.sleep(max(PERIOD_S, took / SHARE_MAX))

    async def read(self) -> None:
        """Read once; raises one of ``TRANSIENT`` when Postgres does not answer."""
        rows = await self._pool.fetch(BOOKS)
        by_state: dict[State, int] = dict.fromkeys(get_args(State), 0)
        by_state |= {row["state"]: row["episodes"] for row in rows}
        for state, number in by_state.items():
            self._metrics.episodes.labels(state).set(number)
        imbalance = sum(abs(row["episodes"] - row["by_history"]) for row in rows)
        self._metrics.imbalance.set(imbalance)
        self._metrics.ledger_read_at.set(time.time())
        if imbalance:
            self._log.error("the ledger does not balance", imbalance=imbalance)
