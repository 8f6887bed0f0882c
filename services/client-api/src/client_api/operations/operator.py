"""What operators do, as the API offers it: blocking work in threads, its errors as problems."""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from client_api.operations.erasures import Erasures
from client_api.operations.pipeline import PipelineWatch
from client_api.operations.runs import WHAT_IF, Runs, Work
from client_api.operations.sweeper import Sweeper
from client_api.problems import Invalid, NotFound, Unavailable
from client_api.shapes.money import exactly, money
from client_api.trail import Trail
from common.clock import BusinessClock, number_of
from common.errors import Misconfigured, Transient
from common.score.policy import Policy
from engage import backfill, dlq, status
from engage.flow import Flow, FlowMeter
from engage.foresight import Foreseen, foresee, who_ordered
from engage.frame import BadInput, NotThere
from engage.history import in_force, read_policies
from engage.replay import check, replay
from engage.settings import Settings
from engage.trace import Trace, trace
from engage.what_if_policy import laid_over
from engage.what_if_run import WhatIfResult, what_if

STATUS_KEPT_S = 2.0
"""Pages ask again and again: so long they get the same answer."""
TRACE_LIMIT_S = 20.0
TRACES_MAX = 2
"""Readers of the lanes at a time: each takes a thread and some 100 MB."""

T = TypeVar("T")


class Operator:
    """Operations of the library ``engage``, asked for over HTTP."""

    def __init__(self, settings: Settings, runs: Runs) -> None:
        """Take where the system is; what is not set is a problem of those who ask for it."""
        self._settings = settings
        self._runs = runs
        self._erasures = Erasures(settings, runs.start)
        self._sweeper = Sweeper(runs.engine)
        self._meter = FlowMeter(settings)
        self.pipeline = PipelineWatch(self.status)
        self._asking = asyncio.Lock()
        self._tracing = asyncio.Semaphore(TRACES_MAX)
        self._told: tuple[float, dict[str, Any]] | None = None

    async def status(self) -> dict[str, Any]:
        """Return the document of ``engage status``, at most two seconds old."""
        async with self._asking:
            if self._told is None or time.monotonic() - self._told[0] > STATUS_KEPT_S:
                document = await self._ask(lambda: status.gather(self._settings))
                self._told = (time.monotonic(), document)
            return self._told[1]

    def flow(self) -> Flow:
        """Measure how records flow; blocks, and takes one caller at a time."""
        return self._meter.measure()

    async def letter_counts(self, topic: str | None) -> list[dict[str, Any]]:
        """Count the letters of all topics or one: each of them is read."""
        return await self._ask(lambda: dlq.overview(self._settings, topic))

    async def letters(self, topic: str, start: int, limit: int) -> list[dict[str, Any]]:
        """Return a topic's oldest letters that wait, from an offset on."""
        return await self._ask(lambda: dlq.waiting(self._settings, topic, limit, start=start))

    async def replay_dead_letters(self, topic: str, offset: int | None, trail: Trail) -> int:
        """Start a replay of a topic's letters; return the run's id."""
        settings = self._settings
        if offset is None:
            await self._ask(lambda: dlq.source_of(topic))
        else:
            await self._ask(lambda: dlq.one(settings, topic, offset))
        return await self._noted(
            "dead-letter-replay",
            trail,
            {"topic": topic, "offset": offset},
            lambda watcher: dlq.replay(settings, topic, watcher, offset=offset),
        )

    async def replay(self, clients: list[int], trail: Trail) -> int:
        """Start a replay of clients, when Postgres has all of them; return the run's id."""
        await self._ask(lambda: check(self._settings, clients))
        return await self._noted(
            "replay",
            trail,
            {"clients": clients},
            lambda watcher: replay(self._settings, clients, watcher),
        )

    async def backfill(self, table: str, where: str | None, trail: Trail) -> int:
        """Start a backfill, when its condition holds water; return the run's id."""
        await self._ask(lambda: backfill.plan(self._settings, table, where))
        await self._ask(lambda: self._settings.connect)
        return await self._noted(
            "backfill",
            trail,
            {"table": table, "where": where},
            lambda watcher: backfill.backfill(self._settings, table, where, watcher),
        )

    async def foresee_backfill(self, table: str, where: str | None) -> tuple[str, int]:
        """Return the table's name and how many rows a backfill would read now."""
        name, _, rows = await self._ask(lambda: backfill.plan(self._settings, table, where))
        return name, rows

    async def foresee_replay(
        self, clients: list[int] | None, ordered: tuple[datetime, datetime] | None
    ) -> Foreseen:
        """Count what a replay would send: of these clients, or of those who ordered in a time."""
        settings = self._settings
        if ordered is not None:
            begin, end = ordered
            clients = await self._ask(lambda: who_ordered(settings, begin, end))
        chosen = clients or []
        return await self._ask(lambda: foresee(settings, chosen))

    async def what_if(
        self,
        policy: dict[str, Any],
        *,
        day: date | None,
        clients: int,
        cost_per_email: Decimal | None,
        currency: str,
        trail: Trail,
    ) -> int:
        """Start a what-if, when the policy is one; return the run's id.

        ``cost_per_email`` is in ``currency``, as is the expected cost in the run's result.
        """
        # A trial has no version of its own, and what nobody reads is not kept either.
        policy = {name: value for name, value in policy.items() if name != "version"}
        settings = self._settings

        def propose(present: Policy) -> Policy:
            return laid_over(present, ("policy", policy))

        await self._ask(
            lambda: propose(in_force(read_policies(settings.kafka, settings.topic_partitions)))
        )
        return await self._noted(
            WHAT_IF,
            trail,
            {
                "policy": policy,
                "day": None if day is None else day.isoformat(),
                "clients": clients,
                "cost_per_email": None if cost_per_email is None else str(cost_per_email),
            },
            lambda watcher: _told(
                what_if(
                    settings.kafka,
                    settings.topic_partitions,
                    ZoneInfo(settings.shop_time_zone),
                    BusinessClock(settings.clock_file),
                    watcher,
                    propose=propose,
                    day=None if day is None else number_of(day),
                    list_clients=clients,
                    cost_per_email=None if cost_per_email is None else float(cost_per_email),
                ),
                currency,
            ),
        )

    async def begin(self) -> None:
        """Go on with erasures that an earlier server has not finished, and sweep what is old."""
        self._erasures.begin()
        self._sweeper.begin()

    def erased(self) -> None:
        """Hear that a client is being erased: its copies are to go, soon after it is committed."""
        self._erasures.wanted()

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self._settings.shop_time_zone)

    async def trace(self, client_id: int, versions: Mapping[int, int]) -> dict[int, Trace]:
        """Find images of a client's orders on the lanes; ``versions`` are those wanted, by order.

        Raises Unavailable, also when reading takes too long or too many are being served.
        """
        settings = self._settings
        try:
            async with asyncio.timeout(TRACE_LIMIT_S):
                await self._tracing.acquire()
        except TimeoutError:
            raise Unavailable("too many lineages are being read") from None
        try:
            return await self._ask(
                lambda: trace(
                    settings.kafka, settings.topic_partitions, client_id, versions, TRACE_LIMIT_S
                )
            )
        finally:
            self._tracing.release()

    async def stop(self) -> None:
        """Break off what runs."""
        await self.pipeline.stop()
        await self._sweeper.stop()
        await self._erasures.stop()
        await self._runs.stop()

    async def _noted(self, kind: str, trail: Trail, parameters: dict[str, Any], work: Work) -> int:
        return await self._runs.start(kind, trail.actor, parameters, work, trail)

    async def _ask(self, work: Callable[[], T]) -> T:
        """Run blocking work in a thread; raises Invalid, NotFound, Unavailable."""
        try:
            return await asyncio.to_thread(work)
        except NotThere as error:
            raise NotFound(str(error)) from None
        except BadInput as error:
            raise Invalid(str(error)) from None
        except (Misconfigured, Transient) as error:
            raise Unavailable(str(error)) from None


def _told(found: WhatIfResult, currency: str) -> dict[str, Any]:
    """Return a what-if's result with its costs as answers state money."""
    emails = found.what_if.emails
    each, expected = emails.cost_per_email, emails.expected_cost
    result = found.model_dump(mode="json")
    result["what_if"]["emails"] |= {
        "cost_per_email": None if each is None else exactly(each, currency).model_dump(mode="json"),
        "expected_cost": (
            None if expected is None else money(expected, currency).model_dump(mode="json")
        ),
    }
    return result
