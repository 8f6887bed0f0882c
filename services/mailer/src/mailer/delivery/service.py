"""Delivery as a whole: the sender with its adapters when it is on, and the reaper in any case."""

import asyncio
from datetime import timedelta

from common.health import Heartbeat
from common.logs import Logger
from mailer.database import Pool, persistently, saying_away
from mailer.delivery import outbox
from mailer.delivery.courier import Courier
from mailer.delivery.gate import Gate
from mailer.delivery.results import Results
from mailer.delivery.sender import Sender
from mailer.delivery.settings import DeliverySettings
from mailer.delivery.smtp import Smtp
from mailer.episodes.policies import Policies
from mailer.episodes.standing import Days
from mailer.metrics import Metrics

BEAT_S = 5.0


class Delivery:
    """What the mailer runs of it. Off, it sends nothing, and knows what was left half-sent."""

    def __init__(
        self,
        settings: DeliverySettings,
        pool: Pool,
        policies: Policies,
        days: Days,
        *,
        lease_s: float,
        probe_base_s: float,
        beat: Heartbeat,
        metrics: Metrics,
        log: Logger,
    ) -> None:
        """Hold a text for ``lease_s`` at a time; ask an ailing server after ``probe_base_s``."""
        self._pool = pool
        self._lease_s = lease_s
        self._beat = beat
        self._log = log
        self._retrying = saying_away(log)
        self._gate: Gate | None = None
        self._sender: Sender | None = None
        if settings.delivery == "smtp":
            smtp = Smtp(settings)
            self._gate = Gate(smtp.verify, probe_base_s, log)
            results = Results(
                pool,
                policies,
                days,
                lease_s=lease_s,
                retry_base_s=settings.delivery_retry_base_s,
                age_max=timedelta(days=settings.delivery_age_max_days),
                log=log,
            )
            self._sender = Sender(
                pool,
                self._gate,
                Courier(smtp, results, settings, lease_s, metrics),
                results,
                days,
                connections=settings.smtp_connections,
                lease_s=lease_s,
                beat=beat,
            )

    def check(self) -> str | None:
        """Tell readiness why nothing is sent though it should be."""
        return self._gate.check() if self._gate else None

    async def run(self, stopping: asyncio.Event, grace_s: float) -> None:
        """Send until told to stop; messages on their way have ``grace_s`` seconds left."""
        async with asyncio.TaskGroup() as tasks:
            reaping = tasks.create_task(self._reap())
            if self._sender is not None:
                await self._sender.run(stopping, grace_s)
            else:
                await self._idle(stopping)
            reaping.cancel()

    async def _idle(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            self._beat.beat()
            try:
                await asyncio.wait_for(stopping.wait(), BEAT_S)
            except TimeoutError:
                continue

    async def _reap(self) -> None:
        """Call sends uncertain that nobody answers for, this mailer's or another's."""
        while True:
            if lost := await persistently(lambda: outbox.reap(self._pool), self._retrying):
                self._log.error("deliveries of unknown outcome", episodes=lost)
            await asyncio.sleep(self._lease_s / 4)
