"""The gate before the model: closes when no call can work, and opens on trial after a probe.

While it is closed nothing is claimed: the backlog stays, and no attempts are used up.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from common.logs import Logger

PROBE_WAIT_MAX_S = 60.0
FAILURES_IN_A_ROW = 6
EPISODES_AMONG_THEM = 2
"""So many transient failures in a row, of so many different episodes, are an outage: the model's
trouble and not that of one prompt."""

Probe = Callable[[], Awaitable[str | None]]


class Gate:
    """Decides how many calls may begin. One event loop owns it; readiness only reads it."""

    def __init__(self, probe: Probe, probe_base_s: float, log: Logger) -> None:
        """``probe`` asks cheaply whether calls could work: None, or what is wrong."""
        self._probe = probe
        self._base_s = probe_base_s
        self._log = log
        self._closed: str | None = None
        self._trial = False
        self._trial_taken = False
        self._closings = 0
        self._not_before = 0.0
        self._failed: list[str] = []
        self._changed = asyncio.Event()

    def check(self) -> str | None:
        """Tell readiness why nothing is asked, if so."""
        return f"paused: {self._closed}" if self._closed else None

    @property
    def closed(self) -> bool:
        """Whether calls that fail now fail for everybody, and so are nobody's attempt."""
        return self._closed is not None or self._trial

    def allowance(self, free: int) -> int:
        """Return how many of ``free`` workers may begin a call now."""
        if self._closed is not None or time.monotonic() < self._not_before:
            return 0
        if self._trial:
            return 0 if self._trial_taken else min(1, free)
        return free

    def take(self, count: int) -> None:
        """Note that so many claims were made; on trial, the one that is allowed."""
        self._trial_taken = self._trial and count > 0

    def leave(self) -> None:
        """Note that a claim ended without asking the model: a trial still waits for its call."""
        self._trial_taken = False

    def worked(self) -> None:
        """The model answered, whatever it said."""
        if self._trial:
            self._log.info("model resumed")
        self._closed, self._trial, self._trial_taken = None, False, False
        self._closings = 0
        self._failed.clear()

    def struggled(self, episode_id: str, reason: str, wait_s: float | None) -> None:
        """A call failed in a way that will pass; ``wait_s`` is what the reply asked us to wait."""
        if wait_s:
            self._not_before = max(self._not_before, time.monotonic() + wait_s)
        self._failed.append(episode_id)
        outage = (
            len(self._failed) >= FAILURES_IN_A_ROW and len(set(self._failed)) >= EPISODES_AMONG_THEM
        )
        if self._trial or outage:
            self.close(f"outage: {reason}")

    def close(self, reason: str) -> None:
        """Stop asking until a probe and a trial call succeed."""
        if self._closed is None:
            self._closings += 1
            self._log.error("model paused", reason=reason)
        self._closed, self._trial, self._trial_taken = reason, False, False
        self._failed.clear()
        self._changed.set()

    async def ask_first(self) -> None:
        """Probe once at the start, so that a key that is refused shows before the first email."""
        problem = await self._probe()
        if problem is not None:
            self.close(problem)

    async def run(self, on_open: Callable[[], None]) -> None:
        """Probe while closed, less and less often; call ``on_open`` when a trial may begin."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            tries = 0
            while self._closed is not None:
                exponent = min(self._closings - 1 + tries, 16)
                await asyncio.sleep(min(PROBE_WAIT_MAX_S, self._base_s * 2.0**exponent))
                tries += 1
                problem = await self._probe()
                self._log.info("model probed", problem=problem)
                if problem is None:
                    self._closed, self._trial, self._trial_taken = None, True, False
                    on_open()
