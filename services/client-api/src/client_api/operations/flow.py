"""Measures how the records flow, again and again, for Prometheus."""

import asyncio
from collections.abc import Callable

import structlog

from client_api.metrics import Metrics
from client_api.operations.background import Background, pause
from client_api.operations.thread import in_a_thread
from engage.flow import Flow, unknown

EVERY_S = 20.0
LIMIT_S = 60.0
"""A measuring that takes longer is still waited for; until it ends, nothing is known."""

log = structlog.get_logger("client_api.flow")


class FlowWatch(Background):
    """Measures while the server runs; several servers say the same."""

    def __init__(
        self, measure: Callable[[], Flow], metrics: Metrics, *, limit_s: float = LIMIT_S
    ) -> None:
        """``measure`` blocks, and raises nothing for what does not answer."""
        self._measure = measure
        self._metrics = metrics
        self._limit_s = limit_s
        self._said: tuple[str, ...] = ()

    async def look(self) -> None:
        """Measure once. What cannot be measured is told when it is news."""
        measuring = in_a_thread(self._measure, "flow")
        if not (await asyncio.wait({measuring}, timeout=self._limit_s))[0]:
            self._tell(unknown(f"measuring takes longer than {self._limit_s:.0f} s"))
        try:
            self._tell(await measuring)
        except Exception as bug:
            log.exception("flow_not_measured", error=type(bug).__name__)
            self._tell(unknown("measuring broke; the reason is logged"))

    def _tell(self, flow: Flow) -> None:
        self._metrics.flows(flow)
        if flow.problems != self._said:
            self._said = flow.problems
            if flow.problems:
                log.warning("flow_not_measured", problems=list(flow.problems))

    async def _follow(self) -> None:
        while True:
            await self.look()
            await pause(EVERY_S)
