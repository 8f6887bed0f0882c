"""The projector's watch over the day: when the business day moves on, the next one is served."""

import asyncio
from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

import structlog

from client_api.projector.days import Days
from client_api.projector.metrics import Metrics
from client_api.projector.retry import Retry
from common.clock import BusinessClock, date_of, day_of
from common.health import Heartbeat

CHECK_EVERY_S = 0.05
BEAT_LIMIT_S = 60.0

log = structlog.get_logger("client_api.projector")


class DayWatch:
    """Switches the served day when the business day moves on; days that passed are skipped."""

    def __init__(
        self,
        days: Days,
        clock: BusinessClock,
        zone: ZoneInfo,
        metrics: Metrics,
        switched: Callable[[], None] = lambda: None,
    ) -> None:
        """``zone`` is the shop's: its midnight begins a day; ``switched`` hears of each switch."""
        self._switched = switched
        self._days = days
        self._clock = clock
        self._zone = zone
        self._metrics = metrics
        self._retry = Retry(metrics.postgres_failures.inc)
        self._served: date | None = None
        self.heartbeat = Heartbeat(BEAT_LIMIT_S)

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until told to stop; raises Transient when Postgres does not come back."""
        while not stop.is_set():
            self.heartbeat.beat()
            await self.turn()
            await asyncio.sleep(CHECK_EVERY_S)

    async def first(self, stop: asyncio.Event) -> None:
        """Return once any day is served: before that there is no day to write scores for."""
        while self._served is None and not stop.is_set():
            await self.turn()
            await asyncio.sleep(CHECK_EVERY_S)

    async def turn(self) -> None:
        """Serve the present business day, if it is not served yet."""
        today = self._today()
        if self._served is not None and today <= self._served:
            return
        started = asyncio.get_running_loop().time()
        filled = await self._retry("switching the day", lambda: self._days.advance(today))
        self._served = await self._retry("reading the served day", self._days.served)
        if filled is not None:
            self._switched()
            took_s = asyncio.get_running_loop().time() - started
            self._metrics.switch_seconds.set(took_s)
            log.info("day_served", as_of=str(self._served), rows=filled, ms=round(took_s * 1000))

    def days_behind(self) -> float:
        """Return how many days the served day is behind today; no number before the first."""
        served = self._served
        return float("nan") if served is None else float((self._today() - served).days)

    def _today(self) -> date:
        return date_of(day_of(self._clock.now(), self._zone))
