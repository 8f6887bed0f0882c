"""The dispatcher: claims as much as the model may be asked, and looks after the leases."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from common.errors import Transient
from common.health import Heartbeat
from common.logs import Logger
from mailer.database import Pool, persistently, saying_away
from mailer.model import calls
from mailer.model.gate import Gate
from mailer.writing import claims
from mailer.writing.asking import Asker
from mailer.writing.claims import Claim
from mailer.writing.results import Results
from mailer.writing.writer import Writer

POLL_S = 0.5
"""How soon work is found of which nobody told: retries that are due, other mailers' episodes."""

T = TypeVar("T")


class Dispatcher:
    """Keeps as many claims in work as the asker can use."""

    def __init__(
        self,
        pool: Pool,
        gate: Gate,
        asker: Asker,
        writer: Writer,
        results: Results,
        *,
        lease_s: float,
        call_s: float,
        beat: Heartbeat,
        log: Logger,
    ) -> None:
        """A claim that is not extended for ``lease_s`` seconds is anybody's again.

        A call lasts ``call_s`` seconds at most, and its result is written within a lease.
        """
        self._pool = pool
        self._gate = gate
        self._asker = asker
        self._writer = writer
        self._results = results
        self._lease_s = lease_s
        self._call_s = call_s
        self._beat = beat
        self._log = log
        self._retrying = saying_away(log)
        self._wake = asyncio.Event()
        self._working: dict[asyncio.Task[None], Claim] = {}
        self._broken: BaseException | None = None

    @property
    def claims(self) -> int:
        """How many claims are in work."""
        return len(self._working)

    def wake(self) -> None:
        """Say that there may be work."""
        self._wake.set()

    async def run(self, stopping: asyncio.Event, grace_s: float) -> None:
        """Claim and work until told to stop; then finish within ``grace_s``, or give back."""
        upkeep = asyncio.create_task(self._keep_leases())
        upkeep.add_done_callback(self._ended)
        try:
            while not stopping.is_set():
                self._beat.beat()
                await self._claim()
                await self._rest()
            self._asker.stop()
            await self._finish(grace_s)
        finally:
            upkeep.cancel()
            for task in self._working:
                task.cancel()

    async def _claim(self) -> None:
        self._wake.clear()
        free = self._asker.claims_max - len(self._working)
        if free < self._asker.claims_ahead // 2 and len(self._working) > self._asker.concurrency:
            return  # there is work ahead: claim a few at once rather than each by itself
        room = await self._asker.room(self._gate.allowance(free))
        if room <= 0:
            return
        found = await self._results.claim(room, self._lease_s)
        ticket = self._gate.take(len(found))
        for claim in found:
            task = asyncio.create_task(self._writer.write(claim, ticket))
            self._working[task] = claim
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Make room for another claim; a task that failed ends the dispatcher."""
        self._working.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            self._broken = task.exception()
        self._wake.set()

    async def _rest(self) -> None:
        """Wait for a reason to claim again."""
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._wake.wait()
        if self._broken is not None:
            raise self._broken

    async def _finish(self, grace_s: float) -> None:
        if not self._working:
            return
        self._log.info("finishing", claims=len(self._working))
        working = dict(self._working)
        done, late = await asyncio.wait(working, timeout=grace_s)
        released = [working[task] for task in late]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await self._release(released)
        self._working.clear()
        for task in done:
            task.result()

    async def _release(self, released: list[Claim]) -> None:
        """Give claims back; while Postgres stays away that is left to their leases."""
        try:
            for claim in released:
                await self._results.release(claim)
        except Transient as error:
            self._log.error("claims are left to their leases", error=str(error))

    async def _keep_leases(self) -> None:
        known: set[Claim] = set()
        while True:
            await asyncio.sleep(self._lease_s / 4)
            # What was claimed since the last turn has most of its lease left; most of it is done
            # before the next.
            held = [claim for claim in self._working.values() if claim in known]
            known = set(self._working.values())
            if held:
                await self._persistently(lambda: claims.extend(self._pool, held, self._lease_s))  # noqa: B023
            if lost := await self._persistently(lambda: claims.reap(self._pool)):
                self._log.warning("leases ran out", claims=lost)
                self.wake()
            longest_s = self._call_s + self._lease_s
            await self._persistently(lambda: calls.lose_older(self._pool, longest_s))  # noqa: B023

    async def _persistently(self, work: Callable[[], Awaitable[T]]) -> T:
        return await persistently(work, self._retrying)
