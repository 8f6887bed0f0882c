"""The sender's loop: claims final texts while the mail server takes any, and looks after leases."""

import asyncio

from common.health import Heartbeat
from mailer.database import Pool
from mailer.delivery import outbox
from mailer.delivery.courier import Courier
from mailer.delivery.gate import Gate
from mailer.delivery.outbox import Parcel
from mailer.delivery.results import Results
from mailer.episodes.standing import Days

POLL_S = 1.0
STOPPED = "the mailer stopped before it was known how it ended"


class Sender:
    """Has up to ``connections`` messages on their way at once."""

    def __init__(
        self,
        pool: Pool,
        gate: Gate,
        courier: Courier,
        results: Results,
        days: Days,
        *,
        connections: int,
        lease_s: float,
        beat: Heartbeat,
    ) -> None:
        """A parcel whose lease is not extended for ``lease_s`` seconds is not ours any more."""
        self._pool = pool
        self._gate = gate
        self._courier = courier
        self._results = results
        self._days = days
        self._connections = connections
        self._lease_s = lease_s
        self._beat = beat
        self._wake = asyncio.Event()
        self._working: dict[asyncio.Task[str | None], Parcel] = {}

    async def run(self, stopping: asyncio.Event, grace_s: float) -> None:
        """Send until told to stop; then finish within ``grace_s``, or let go."""
        upkeep = [
            asyncio.create_task(self._keep_leases()),
            asyncio.create_task(self._gate.run(self._wake.set)),
        ]
        try:
            while not stopping.is_set():
                self._beat.beat()
                await self._claim()
                await self._rest(upkeep)
            await self._finish(grace_s)
        finally:
            left = [*upkeep, *self._working]
            for task in left:
                task.cancel()
            # Who knows how a send ended still notes it, while the pool is open.
            await asyncio.gather(*left, return_exceptions=True)

    async def _claim(self) -> None:
        self._wake.clear()
        room = self._connections - len(self._working)
        if room <= 0 or not self._gate.is_open:
            return
        now = self._days.now()
        found = await self._results.persistently(
            lambda: outbox.claim(self._pool, room, self._lease_s, now)
        )
        for parcel in found:
            self._working[asyncio.create_task(self._courier.carry(parcel))] = parcel

    async def _rest(self, upkeep: list[asyncio.Task[None]]) -> None:
        """Wait for a reason to claim again; a task that failed ends the sender."""
        woken = asyncio.create_task(self._woken())
        await asyncio.wait(
            {woken, *upkeep, *self._working}, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED
        )
        woken.cancel()
        for task in upkeep:
            if task.done():
                task.result()
        self._collect()

    def _collect(self) -> None:
        for task in [task for task in self._working if task.done()]:
            del self._working[task]
            problem = task.result()
            if problem is None:
                self._gate.worked()
            else:
                self._gate.close(problem)

    async def _woken(self) -> None:
        await self._wake.wait()

    async def _finish(self, grace_s: float) -> None:
        if not self._working:
            return
        _, late = await asyncio.wait(self._working, timeout=grace_s)
        abandoned = [self._working.pop(task) for task in late]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for parcel in abandoned:
            await self._results.abandon(parcel, STOPPED)
        self._collect()

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 4)
            held = list(self._working.values())
            if held:
                await self._results.persistently(
                    lambda: outbox.extend(self._pool, held, self._lease_s)  # noqa: B023
                )
