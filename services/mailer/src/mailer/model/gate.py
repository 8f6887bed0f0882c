"""The gate before the model: closes when no call can work, and opens on trial after a probe.

While it is closed nothing is claimed: the backlog stays, and no attempts are used up. Whoever works
on an episode holds a ticket; one from before the last closing says nothing about how things stand
now, and what fails under it is nobody's attempt.
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
REFUSED_IN_A_ROW = 10
MISROUTED_IN_A_ROW = 3
"""So many different episodes in a row whose request was refused, or that somebody else answered
than we asked: what is wrong is then wrong for all."""

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
        self._ticket = 0
        self._closings = 0
        self._not_before = 0.0
        self._held: str | None = None
        self._troubled: list[str] = []
        self._refused: set[str] = set()
        self._misrouted: set[str] = set()
        self._changed = asyncio.Event()

    def check(self) -> str | None:
        """Tell readiness why nothing is asked, if so."""
        if self._closed is not None:
            return f"paused: {self._closed}"
        return self._held if time.monotonic() < self._not_before else None

    @property
    def probe_wait_s(self) -> float:
        """How many seconds lie between a closing and the first probe, as things stand."""
        return self._wait_s(max(self._closings - 1, 0))

    def allowance(self, free: int) -> int:
        """Return how many of ``free`` workers may begin now."""
        if self._closed is not None or time.monotonic() < self._not_before:
            return 0
        if self._trial:
            return 0 if self._trial_taken else min(1, free)
        return free

    def take(self, count: int) -> int:
        """Note that so many claims were made (on trial, the one that is allowed); return a ticket.

        The ticket is of the moment of the claims: whoever closes the gate meanwhile makes it void.
        """
        self._trial_taken = self._trial and count > 0
        return self._ticket

    def admits(self, ticket: int) -> bool:
        """Whether a call may begin now under a ticket."""
        return not self._void(ticket) and time.monotonic() >= self._not_before

    def leave(self, ticket: int) -> None:
        """Note that a claim ended without asking the model: a trial still waits for its call."""
        if not self._void(ticket):
            self._trial_taken = False

    def hold(self, wait_s: float, reason: str | None = None) -> None:
        """Let nobody begin for so many seconds; with a ``reason``, readiness tells."""
        self._not_before = max(self._not_before, time.monotonic() + wait_s)
        self._held = reason

    def worked(self, ticket: int) -> None:
        """The model answered, whatever it said."""
        if self._void(ticket):
            return
        if self._trial:
            self._log.info("model resumed")
        self._trial, self._trial_taken = False, False
        self._closings = 0
        self._clear()

    def struggled(self, ticket: int, episode_id: str, reason: str, wait_s: float | None) -> bool:
        """A call failed in a way that will pass; ``wait_s`` is what the reply asked us to wait.

        Returns whether that is everybody's trouble, and so not this episode's attempt.
        """
        if wait_s:
            self.hold(wait_s)
        if self._void(ticket):
            return True
        self._troubled.append(episode_id)
        if self._trial or (
            len(self._troubled) >= FAILURES_IN_A_ROW
            and len(set(self._troubled)) >= EPISODES_AMONG_THEM
        ):
            self.close(f"outage: {reason}")
        return self._void(ticket)

    def refused(self, ticket: int, episode_id: str, reason: str, *, misrouted: bool) -> bool:
        """A call failed in a way that will not pass. Returns the same as ``struggled``."""
        if self._void(ticket):
            return True
        self._refused.add(episode_id)
        if misrouted:
            self._misrouted.add(episode_id)
        if (
            self._trial
            or len(self._refused) >= REFUSED_IN_A_ROW
            or len(self._misrouted) >= MISROUTED_IN_A_ROW
        ):
            self.close(f"{reason}, for one episode after another")
        return self._void(ticket)

    def close(self, reason: str) -> None:
        """Stop asking until a probe and a trial call succeed."""
        if self._closed is None:
            self._closings += 1
            self._ticket += 1
            self._log.error("model paused", reason=reason)
        self._closed, self._trial, self._trial_taken = reason, False, False
        self._clear()
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
                await asyncio.sleep(self._wait_s(self._closings - 1 + tries))
                tries += 1
                problem = await self._probe()
                self._log.info("model probed", problem=problem)
                if problem is None:
                    self._closed, self._trial, self._trial_taken = None, True, False
                    on_open()

    def _wait_s(self, doublings: int) -> float:
        return min(PROBE_WAIT_MAX_S, self._base_s * 2.0 ** min(doublings, 16))

    def _void(self, ticket: int) -> bool:
        return self._closed is not None or ticket != self._ticket

    def _clear(self) -> None:
        self._troubled.clear()
        self._refused.clear()
        self._misrouted.clear()
