"""What goes on in the background from the server's start to its stop."""

import asyncio
import random
from abc import ABC, abstractmethod


class Background(ABC):
    """A task that runs while the server does."""

    _task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """End; what a thread is doing meanwhile is not waited for."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @abstractmethod
    async def _follow(self) -> None:
        """Do it, until cancelled."""


async def pause(seconds: float) -> None:
    """Wait about so long: several servers, started together, do not stay in step."""
    await asyncio.sleep(seconds * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
