"""How the records flow, for those who look often: asked in the background, not waited for."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import structlog

from client_api.problems import Problem
from client_api.shapes.overview import LettersOfTopic, Pipeline, PipelineHop
from engage.lag import READERS, SCORER_HOP
from engage.status import SLOT_HOP

FRESH_S = 5.0
"""So long the same answer serves."""
STALE_S = 60.0
"""An answer older than this says nothing any more."""
FIRST_LIMIT_S = 2.0
"""The first one who looks waits so long."""

HOPS = (SLOT_HOP, READERS[0][0], SCORER_HOP, *(hop for hop, _, _ in READERS[1:]))
"""In the order of the flow."""
NOT_YET = "it is being asked"

Status = Callable[[], Awaitable[dict[str, Any]]]

log = structlog.get_logger("client_api.pipeline")


class PipelineWatch:
    """Remembers the last status, and asks again when somebody looks at an old one."""

    def __init__(self, status: Status) -> None:
        """``status`` returns the document of ``engage status``; it may take seconds."""
        self._status = status
        self._asking: asyncio.Task[None] | None = None
        self._told: Pipeline | None = None
        self._at = float("-inf")
        self._problem = NOT_YET

    async def look(self) -> Pipeline:
        """Return how it flows: at once, but for the first time."""
        age = time.monotonic() - self._at
        if age > FRESH_S and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._ask())
        if age > STALE_S and self._asking is not None:
            await asyncio.wait({self._asking}, timeout=FIRST_LIMIT_S)
        if self._told is None or time.monotonic() - self._at > STALE_S:
            return nothing_known(self._problem)
        return self._told

    async def stop(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self) -> None:
        try:
            self._told = pipeline_of(await self._status())
            self._at, self._problem = time.monotonic(), NOT_YET
        except Problem as problem:
            self._problem = problem.detail
        except Exception as bug:
            self._problem = "asking broke; the reason is logged"
            log.exception("pipeline_not_asked", error=type(bug).__name__)


def nothing_known(reason: str) -> Pipeline:
    """Return the answer of somebody who knows nothing, and why."""
    hops = [_unknown(name, reason) for name in HOPS]
    return Pipeline(asked_at=None, hops=hops, dead_letters=None, problems=[reason])


def pipeline_of(status: dict[str, Any]) -> Pipeline:
    """Return what a status document says of the flow; what it does not know is null, with why."""
    problems: list[str] = list(status["problems"])
    found: dict[str, list[PipelineHop]] = {}
    for told in status["hops"]:
        found.setdefault(told["hop"], []).append(_hop(told, problems))
    why = "; ".join(problems) or "it could not be asked"
    letters = status["dead_letters"]
    asked_at: datetime = status["at"]
    return Pipeline(
        asked_at=asked_at,
        hops=[hop for name in HOPS for hop in found.get(name) or [_unknown(name, why)]],
        dead_letters=None
        if letters is None
        else [LettersOfTopic(topic=one["topic"], waiting=one["waiting"]) for one in letters],
        problems=problems,
    )


def _hop(told: dict[str, Any], problems: list[str]) -> PipelineHop:
    """One hop; the first is a log, which is counted in bytes and not in records."""
    name, seconds = told["hop"], told["seconds"]
    reason = None
    if told.get("members") == 0:
        reason = f"nobody reads as {told['group']}"
    elif seconds is None or (name == SLOT_HOP and told.get("behind_bytes") is None):
        reason = "; ".join(problems) or "it could not be asked"
    return PipelineHop(
        name=name,
        lag_records=told["records"],
        lag_s=seconds,
        lag_bytes=told.get("behind_bytes"),
        exact=told.get("exact", True),
        reason=reason,
    )


def _unknown(name: str, reason: str) -> PipelineHop:
    return PipelineHop(
        name=name, lag_records=None, lag_s=None, lag_bytes=None, exact=True, reason=reason
    )
