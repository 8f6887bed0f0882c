"""The scorer's work: events into ledgers, control into what a partition knows.

One thing at a time: the agent's batches and the chores take turns (``turn``). What they make is
handed to the pipeline, and the next turn need not wait for it.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Any

from common import tracing
from common.clock import BusinessClock
from common.codec import decode
from common.errors import Misconfigured, PoisonMessage
from common.events import GenerationAnnounced, PolicyPublished, SnapshotState, Tick
from common.logs import Logger
from common.partition import partition_of
from common.topics import CONTROL
from common.wire import LaneImage, read_lane
from scorer.desk import Desk
from scorer.engine import Moment, merge, moment
from scorer.pipeline import Pipeline
from scorer.records import Record
from scorer.shard import POLICY_KEY, SNAPSHOT_KEY, Shard
from scorer.table import Store
from scorer.ticks import business_time_of
from scorer.voice import GENERATION_KEY, Voice

LOG_APPEND_TIME = 1
"""Kafka's timestamp type for a time set by the broker."""


class Keeper:
    """Keeps the ledgers of this worker's partitions."""

    def __init__(
        self,
        *,
        store: Store,
        pipeline: Pipeline,
        generation: int,
        clock: BusinessClock,
        zone: tzinfo,
        partitions: int,
        log: Logger,
        retire: Callable[[], None] = lambda: None,
    ) -> None:
        """``retire`` is called once a later generation speaks: nothing more is to be read."""
        self.turn = asyncio.Lock()
        self.open = True
        """Whether the partitions are this worker's; what comes otherwise will come again."""
        self.superseded_by: int | None = None
        """The generation that speaks instead; once it is known, nothing is read any more."""
        self.shards: dict[int, Shard] = {}
        self.voices: dict[int, Voice] = {}
        self.desk = Desk(store, pipeline, self.voices, generation)
        self._store = store
        self._pipeline = pipeline
        self._generation = generation
        self._clock = clock
        self.zone = zone
        self._partitions = partitions
        self._log = log
        self._retire = retire
        self._said_old: dict[int, datetime | None] = {}

    # --- partitions ---

    async def leave(self) -> None:
        """Finish what is under way, and forget all partitions: they may become another worker's."""
        self.open = False
        async with self.turn:
            await self._pipeline.drained()
            self.shards.clear()
            self.voices.clear()
            self.desk.forget()

    def enter(self) -> None:
        """Begin to work: partitions have been assigned."""
        self.open = self.superseded_by is None

    def shard(self, partition: int) -> Shard:
        """Return a partition's memory, rebuilt from its rows if need be."""
        found = self.shards.get(partition)
        if found is None:
            self.voices[partition] = Voice(self._generation)
            found = Shard.rebuilt(partition, self._rows_but_voice(partition))
            self.shards[partition] = found
            self._log.info("partition opened", partition=partition, due=len(found.due))
        return found

    def _rows_but_voice(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        for key, value in self._store.scan(partition):
            if key == GENERATION_KEY:
                self.voices[partition] = Voice(self._generation, value)
            else:
                yield key, value

    # --- records ---

    def lane(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """Merge events into their clients' ledgers; ``settle`` makes them durable."""
        shard, now = self.shard(partition), self.now()
        # Records of a run are in the order in which they were written.
        self.desk.read(topic, len(records), records[0].timestamp)
        images: list[tuple[Record, LaneImage]] = []
        for record in records:
            if record.value is None:
                continue
            try:
                images.append((record, read_lane(record.value)))
            except PoisonMessage as error:
                self._park(error, topic, partition, record)
        rows = self.desk.fetch(shard, {image.client_id for _, image in images})
        changed, zone, traces = self.desk.changed, self.zone, self.desk.traces
        for record, image in images:
            client_id = image.client_id
            row = rows[client_id]
            # A client that is known here is at home here.
            if not row.version and partition_of(client_id, self._partitions) != partition:
                detail = f"client {client_id} is not of partition {partition}"
                self._park(PoisonMessage("wrong_partition", detail), topic, partition, record)
            elif merge(row, image, zone):
                # Where nobody traces, nobody pays for it.
                if record.headers or traces:
                    self.desk.trace(client_id, topic, partition, record)
                changed(shard, client_id, now)

    def control(self, partition: int, record: Record) -> None:
        """Act on one control record; ``settle`` makes it durable."""
        self.desk.read(CONTROL.name, 1)
        if record.value is None:
            return
        shard = self.shard(partition)
        try:
            data = decode(record.value).data
            match data:
                case Tick() if data.partition == partition:
                    self._tick(shard, data, record)
                case SnapshotState():
                    self._log.info("snapshot", partition=partition, active=data.active)
                    shard.importing = data.active
                    shard.gate.restart()
                    self.desk.keep(partition, SNAPSHOT_KEY, b"1" if data.active else b"0")
                case PolicyPublished():
                    if shard.adopt(data.policy):
                        self._log.info("policy", partition=partition, version=data.policy.version)
                        value = data.policy.model_dump_json().encode()
                        self.desk.keep(partition, POLICY_KEY, value)
                case GenerationAnnounced():
                    self._announced(partition, data.generation)
                case _:
                    detail = f"{type(data).__name__} in partition {partition}"
                    self._park(PoisonMessage("unexpected", detail), CONTROL.name, partition, record)
        except PoisonMessage as error:
            self._park(error, CONTROL.name, partition, record)

    async def settle(self, events: Collection[Any] = ()) -> None:
        """Hand on what was touched, and with it ``events``, to be acknowledged when it is durable.

        Waits only while too much is on its way.
        """
        await self._pipeline.submit(self.desk.close(self.now(), events))
        later = [voice.current for voice in self.voices.values() if voice.superseded]
        if later:
            self.superseded_by = max(later)
            self.open = False
            self._retire()

    def now(self) -> Moment:
        """Return the present moment of business time."""
        return moment(self._clock.now(), self.zone)

    def _tick(self, shard: Shard, tick: Tick, record: Record) -> None:
        if record.timestamp_type != LOG_APPEND_TIME:
            raise Misconfigured(f"{CONTROL.name} must have message.timestamp.type=LogAppendTime")
        anchor = self._clock.anchor()
        at_broker = business_time_of(record.timestamp, anchor)
        verdict = shard.gate.offer(tick, at_broker, anchor.rate, time.monotonic())
        if verdict == "parked":
            self._log.error(
                "tick from the future",
                partition=shard.partition,
                as_of=tick.as_of.isoformat(),
                at_broker=at_broker.isoformat(),
            )
        elif verdict == "old" and self._said_old.get(shard.partition) != shard.gate.acted:
            self._said_old[shard.partition] = shard.gate.acted
            self._log.warning(
                "tick before the last one acted on",
                partition=shard.partition,
                as_of=tick.as_of.isoformat(),
            )

    def _announced(self, partition: int, generation: int) -> None:
        voice = self.voices[partition]
        if not voice.hear(generation):
            return
        self._log.info("generation", partition=partition, own=voice.own, current=generation)
        self.desk.keep(partition, GENERATION_KEY, voice.row())

    def _park(self, error: PoisonMessage, topic: str, partition: int, record: Record) -> None:
        offset, reason = record.offset, error.reason
        span = tracing.process((topic, partition, offset), tracing.of_headers(record.headers))
        with tracing.inside(span):
            self._log.warning(
                "parked", topic=topic, partition=partition, offset=offset, reason=reason
            )
        if span is not None:
            tracing.failed(span, reason)
            self.desk.follow(span)
        self.desk.park(
            error,
            topic=topic,
            partition=partition,
            offset=offset,
            key=record.key,
            value=record.value,
        )
