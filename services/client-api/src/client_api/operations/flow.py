"""Measures how the records flow, again and again, for Prometheus."""

import asyncio
import random
from collections.abc import Callable

import structlog

from client_api.metrics import Metrics
from engage.flow import Flow

EVERY_S = 20.0

log = structlog.get_logger("client_api.flow")


class FlowWatch:
    """Measures while the server runs; several servers say the same."""

    def __init__(self, measure: Callable[[], Flow], metrics: Metrics) -> None:
        """``measure`` blocks, and raises nothing for what does not answer."""
        self._measure = measure
        self._metrics = metrics
        self._task: asyncio.Task[None] | None = None
        self._said: tuple[str, ...] = ()

    def begin(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Measure no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Measure once. What cannot be measured is told when it is news."""
        flow = await asyncio.to_thread(self._measure)
        self._metrics.flows(flow)
        if flow.problems != self._said:
            self._said = flow.problems
            if flow.problems:
                log.warning("flow_not_measured", problems=list(flow.problems))

    async def _follow(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as bug:
                log.exception("flow_not_measured", error=type(bug).__name__)
            await asyncio.sleep(EVERY_S * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
