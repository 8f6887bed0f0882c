"""The ledger's sums as gauges for Prometheus, read from Postgres again and again."""

import asyncio
import time
from typing import get_args

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from common.logs import Logger
from mailer.database import TRANSIENT, Pool
from mailer.episodes.states import State

PERIOD_S = 5.0
SHARE_MAX = 0.05
"""Of the time at most so much goes into asking: a very large ledger is read less often."""
BOOKS = "SELECT state, episodes, by_history FROM ledger_books"


class Books:
    """How many episodes are in each state, and whether that is all of them."""

    def __init__(self, pool: Pool, log: Logger) -> None:
        """Know nothing yet: until the first look the imbalance is no number."""
        self._pool = pool
        self._log = log
        self._registry = CollectorRegistry()
        self._episodes = Gauge(
            "engage_episodes", "Episodes by state.", ["state"], registry=self._registry
        )
        self._imbalance = Gauge(
            "engage_ledger_imbalance",
            "Sum over states of how far the episodes are from what the history says; 0 is well.",
            registry=self._registry,
        )
        self._read_at = Gauge(
            "engage_ledger_read_timestamp_seconds",
            "When the ledger was last read, in seconds since 1970.",
            registry=self._registry,
        )
        self._imbalance.set(float("nan"))

    def page(self) -> tuple[str, bytes]:
        """Return the media type and the text that Prometheus scrapes."""
        return CONTENT_TYPE_LATEST, generate_latest(self._registry)

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
            self._episodes.labels(state).set(number)
        imbalance = sum(abs(row["episodes"] - row["by_history"]) for row in rows)
        self._imbalance.set(imbalance)
        self._read_at.set(time.time())
        if imbalance:
            self._log.error("the ledger does not balance", imbalance=imbalance)
