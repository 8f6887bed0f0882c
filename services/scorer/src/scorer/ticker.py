"""Writes this worker's ticks: business time first, then how far both lanes reach."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime

from common.clock import BusinessClock
from common.codec import encode
from common.events import Tick
from common.topics import BACKFILL, CONTROL, LIVE
from scorer.outbox import Outbox
from scorer.writer import Letter

Ends = Mapping[tuple[str, int], int]
KEY = b"tick"


class Ticker:
    """Ticks for the partitions that are this worker's at each moment."""

    def __init__(
        self,
        *,
        clock: BusinessClock,
        outbox: Outbox,
        owned: Callable[[], Collection[int]],
        ends: Callable[[Collection[tuple[str, int]]], Awaitable[Ends]],
    ) -> None:
        """``ends`` asks the broker for the last stable offsets of topic partitions."""
        self._clock = clock
        self._outbox = outbox
        self._owned = owned
        self._ends = ends

    async def run(self, period_s: float) -> None:
        """Tick every ``period_s`` wall seconds until cancelled; raises what stops it."""
        while True:
            await self.tick()
            await asyncio.sleep(period_s)

    async def tick(self) -> None:
        """Write one tick to each owned partition, and wait until the broker has them.

        The order matters: every event that happened before ``as_of`` lies below the ends read after
        it. And the next tick is begun only when this one has been written.
        """
        as_of = self._clock.now()
        partitions = sorted(self._owned())
        if not partitions:
            return
        ends = await self._ends([(t.name, p) for t in (LIVE, BACKFILL) for p in partitions])
        await self._outbox.send(
            Letter(
                CONTROL.name,
                partition,
                KEY,
                encode(
                    Tick(
                        partition=partition,
                        as_of=as_of,
                        live_end=ends[LIVE.name, partition],
                        backfill_end=ends[BACKFILL.name, partition],
                    ),
                    id=f"tick:{partition}:{as_of.isoformat()}",
                    source="scorer",
                    subject=str(partition),
                    time=datetime.now(UTC),
                ),
            )
            for partition in partitions
        )
