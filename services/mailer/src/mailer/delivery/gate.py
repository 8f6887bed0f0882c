"""The gate before the mail server: closed until it answers well, and when nobody can be sent to.

Whoever is to blame, nothing is claimed meanwhile: the backlog stays and no tries are used up.
"""

import asyncio
from collections.abc import Awaitable, Callable

from common.logs import Logger

WAIT_MAX_S = 60.0
NOT_ASKED = "the mail server has not answered yet"


class Gate:
    """Whether messages may be sent. One event loop owns it; readiness only reads it."""

    def __init__(
        self, verify: Callable[[], Awaitable[str | None]], base_s: float, log: Logger
    ) -> None:
        """``verify`` asks whether the server would take messages: None, or what is wrong."""
        self._verify = verify
        self._base_s = base_s
        self._log = log
        self._problem: str | None = NOT_ASKED
        self._failures = 0
        self._closed = asyncio.Event()
        self._closed.set()

    @property
    def is_open(self) -> bool:
        """Whether messages may be sent now."""
        return self._problem is None

    def check(self) -> str | None:
        """Tell readiness why nothing is sent, if so."""
        return f"paused: {self._problem}" if self._problem else None

    def worked(self) -> None:
        """The server was willing to take a message; one from before a closing opens nothing."""
        if self._problem is None:
            self._failures = 0

    def close(self, problem: str) -> None:
        """Send nothing until the server answers well again."""
        if self._problem is None:
            self._failures += 1
            self._log.error("delivery paused", reason=problem)
        self._problem = problem
        self._closed.set()

    async def run(self, on_open: Callable[[], None]) -> None:
        """Ask while closed, less and less often; ``on_open`` is called when it opens."""
        while True:
            await self._closed.wait()
            await asyncio.sleep(self._wait_s())
            problem = await self._verify()
            if problem is None:
                self._problem = None
                self._closed.clear()
                self._log.info("delivery may begin")
                on_open()
            else:
                self._failures += 1
                if problem != self._problem:
                    self._log.error("delivery paused", reason=problem)
                self._problem = problem

    def _wait_s(self) -> float:
        if self._failures == 0:
            return 0.0
        return min(WAIT_MAX_S, self._base_s * 2.0 ** min(self._failures - 1, 16))
