"""The dispatcher: claims as much as the model may be asked, and looks after the leases."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from common.health import Heartbeat
from common.logs import Logger
from mailer import claims
from mailer.claims import Claim
from mailer.database import Pool, persistently
from mailer.gate import Gate
from mailer.results import Results
from mailer.writer import Writer

POLL_S = 0.5
"""How soon work is found of which nobody told: retries that are due, other mailers' episodes."""

T = TypeVar("T")


class Dispatcher:
    """Runs up to ``concurrency`` claims at once."""

    def __init__(
        self,
        pool: Pool,
        gate: Gate,
        writer: Writer,
        results: Results,
        *,
        concurrency: int,
        lease_s: float,
        beat: Heartbeat,
        log: Logger,
    ) -> None:
        """A claim that is not extended for ``lease_s`` seconds is anybody's again."""
        self._pool = pool
        self._gate = gate
        self._writer = writer
        self._results = results
        self._concurrency = concurrency
        self._lease_s = lease_s
        self._beat = beat
        self._log = log
        self._wake = asyncio.Event()
        self._working: dict[asyncio.Task[None], Claim] = {}

    def wake(self) -> None:
        """Say that there may be work."""
        self._wake.set()

    async def run(self, stopping: asyncio.Event, grace_s: float) -> None:
        """Claim and work until told to stop; then finish within ``grace_s``, or give back."""
        upkeep = asyncio.create_task(self._keep_leases())
        try:
            while not stopping.is_set():
                self._beat.beat()
                await self._claim()
                await self._rest(upkeep)
            await self._finish(grace_s)
        finally:
            upkeep.cancel()
            for task in self._working:
                task.cancel()

    async def _claim(self) -> None:
        self._wake.clear()
        room = self._gate.allowance(self._concurrency - len(self._working))
        if room <= 0:
            return
        found = await self._persistently(lambda: claims.claim(self._pool, room, self._lease_s))
        self._gate.take(len(found))
        for claim in found:
            self._working[asyncio.create_task(self._writer.write(claim))] = claim

    async def _rest(self, upkeep: asyncio.Task[None]) -> None:
        """Wait for a reason to claim again; a task that failed ends the dispatcher."""
        woken = asyncio.create_task(self._woken())
        done, _ = await asyncio.wait(
            {woken, upkeep, *self._working},
            timeout=POLL_S,
            return_when=asyncio.FIRST_COMPLETED,
        )
        woken.cancel()
        for task in done:
            self._working.pop(task, None)
            task.result()

    async def _woken(self) -> None:
        await self._wake.wait()

    async def _finish(self, grace_s: float) -> None:
        if not self._working:
            return
        self._log.info("finishing", claims=len(self._working))
        done, late = await asyncio.wait(self._working, timeout=grace_s)
        released = [self._working[task] for task in late]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for claim in released:
            await self._results.release(claim)
        self._working.clear()
        for task in done:
            task.result()

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 4)
            held = list(self._working.values())
            if held:
                await self._persistently(lambda: claims.extend(self._pool, held, self._lease_s))  # noqa: B023
            if lost := await self._persistently(lambda: claims.reap(self._pool)):
                self._log.warning("leases ran out", claims=lost)
                self.wake()

    async def _persistently(self, work: Callable[[], Awaitable[T]]) -> T:
        return await persistently(work, self._retrying)

    def _retrying(self, error: Exception) -> None:
        self._log.warning("postgres is away", error=type(error).__name__)
