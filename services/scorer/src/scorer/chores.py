"""What is to be done besides the events, chunk by chunk, taking turns with them.

Ticks open episodes; a new policy, or a generation that begins to speak, walks all rows. A chunk
takes some milliseconds: a live event never waits for more than one of them.
"""

import asyncio
from collections.abc import Callable

from common.logs import Logger
from common.topics import BACKFILL, LIVE
from scorer.engine import moment
from scorer.keeper import Keeper
from scorer.pipeline import Pipeline
from scorer.rows import decode_head, is_head
from scorer.shard import FIRST_CLIENT, TICK_KEY, Shard
from scorer.table import Store
from scorer.ticks import Reach
from scorer.voice import GENERATION_KEY

CHUNK = 250
"""Clients assessed in one turn: some 10 ms."""

SKIM = 5_000
"""Rows looked at in one turn by a walk for those that it has to assess."""

IDLE_S = 0.02
"""Between two looks for work while there is none."""


class Chores:
    """The work of ticks, and the walks, for all partitions of a worker."""

    def __init__(
        self,
        keeper: Keeper,
        store: Store,
        pipeline: Pipeline,
        reach: Callable[[str, int], Reach],
        log: Logger,
    ) -> None:
        """``reach`` tells how far a partition of a topic has been read and settled."""
        self._keeper = keeper
        self._store = store
        self._pipeline = pipeline
        self._reach = reach
        self._log = log
        self._told_up_to: dict[int, bytes] = {}
        """Where the first telling of a generation goes on."""

    async def run(self) -> None:
        """Do what there is to do, until cancelled; raises what stops it."""
        while True:
            worked = False
            for partition in list(self._keeper.shards):
                worked |= await self.turn(partition)
            # Also with work left: whoever waits for its turn gets it now.
            await asyncio.sleep(0 if worked else IDLE_S)

    async def turn(self, partition: int) -> bool:
        """Do one chunk of what a partition has to do; return whether there was anything."""
        async with self._keeper.turn:
            shard = self._keeper.shards.get(partition)
            if shard is None or shard.policy is None or not self._keeper.open:
                return False
            worked = await self._tell(shard) or await self._walk(shard) or self._work_off(shard)
            if worked:
                await self._keeper.settle()
            return worked

    def _work_off(self, shard: Shard) -> bool:
        """Do one chunk of the tick in hand, if both lanes have passed its ends."""
        if shard.importing:
            return False
        tick = shard.gate.passed(
            self._reach(LIVE.name, shard.partition), self._reach(BACKFILL.name, shard.partition)
        )
        if tick is None:
            return False
        if not self._keeper.voices[shard.partition].speaks:
            # Whoever speaks acts on it. What is due stays due until this generation speaks.
            shard.gate.done()
            return False
        desk, at = self._keeper.desk, moment(tick.as_of, self._keeper.zone)
        due = shard.due.until(at.day, CHUNK)
        rows = desk.fetch(shard, due)
        assessed = []
        for client_id in due:
            row = rows[client_id]
            if row.day is not None and row.day > at.day:
                # Judged on a later day already, as of the clock: a tick of that day will do it.
                shard.due.put(client_id, row.day)
            else:
                assessed.append(client_id)
        if assessed:
            desk.assess(shard, assessed, at, opens=True)
        if len(due) == CHUNK:
            return True
        shard.gate.done()
        stored = shard.tick_stored
        if stored is None or moment(stored, self._keeper.zone).day != at.day:
            shard.tick_stored = tick.as_of
            desk.keep(shard.partition, TICK_KEY, tick.as_of.isoformat().encode())
            return True
        return bool(due)

    async def _walk(self, shard: Shard) -> bool:
        """Assess one chunk of the rows that the policy in force has not assessed yet."""
        start = shard.recross_from
        if start is None or shard.policy is None:
            return False
        version = shard.policy.version
        shard.recross_from = await self._chunk(shard, start, lambda policy: policy != version)
        if shard.recross_from is None:
            self._log.info("policy walked", partition=shard.partition, version=version)
        return True

    async def _tell(self, shard: Shard) -> bool:
        """Tell one chunk of all scores, where this generation has just begun to speak."""
        voice = self._keeper.voices[shard.partition]
        if voice.told or not voice.speaks:
            return False
        start = self._told_up_to.pop(shard.partition, FIRST_CLIENT)
        goes_on = await self._chunk(shard, start, lambda _: True, takes_over=True)
        if goes_on is None:
            voice.told = True
            self._keeper.desk.keep(shard.partition, GENERATION_KEY, voice.row())
            self._log.info("all told", partition=shard.partition, generation=voice.own)
        else:
            self._told_up_to[shard.partition] = goes_on
        return True

    async def _chunk(
        self,
        shard: Shard,
        start: bytes,
        wanted: Callable[[int], bool],
        *,
        takes_over: bool = False,
    ) -> bytes | None:
        """Assess a chunk of the rows from ``start`` on whose policy's version is ``wanted``.

        Returns where to go on, or None at the end.
        """
        if start == FIRST_CLIENT:
            # Rows on their way were assessed before; the walk must not miss the new ones of them.
            await self._pipeline.drained()
        found: list[int] = []
        goes_on = None
        for seen, (key, value) in enumerate(self._store.scan(shard.partition, start)):
            if len(found) >= CHUNK or seen >= SKIM:
                goes_on = key
                break
            if is_head(key) and wanted(decode_head(value).policy):
                found.append(int(key))
        if found:
            self._keeper.desk.fetch(shard, found)
            now = self._keeper.now()
            self._keeper.desk.assess(shard, found, now, takes_over=takes_over)
        return goes_on
