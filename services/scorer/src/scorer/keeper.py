"""The scorer's work: events into ledgers, ticks into episodes, for all partitions of a worker.

It is driven by one agent, one batch of records after another, so nothing here runs at the same time
as anything else.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import tzinfo
from typing import Protocol

from common.clock import BusinessClock
from common.codec import decode
from common.errors import Misconfigured, PoisonMessage
from common.events import (
    ClientChanged,
    ClientErased,
    OrderChanged,
    OrderRemoved,
    PolicyPublished,
    SnapshotState,
    Tick,
)
from common.logs import Logger
from common.partition import partition_of
from common.topics import BACKFILL, CONTROL, LIVE
from scorer.desk import Desk
from scorer.engine import Moment, merge, moment
from scorer.shard import POLICY_KEY, SNAPSHOT_KEY, TICK_KEY, Shard, decode_head
from scorer.table import Rows
from scorer.ticks import Reach, business_time_of

CHUNK = 500
"""Clients that one tick works off: some 50 ms, during which live events wait."""

SKIM = 20_000
"""Rows that one tick looks at while it walks for those not assessed under the policy in force."""

LOG_APPEND_TIME = 1
"""Kafka's timestamp type for a time set by the broker."""

LANE_DATA = (ClientChanged, OrderChanged, OrderRemoved, ClientErased)


class Record(Protocol):
    """What is needed of a Kafka record."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None


class Keeper:
    """Keeps the ledgers of this worker's partitions."""

    def __init__(
        self,
        *,
        rows: Rows,
        desk: Desk,
        clock: BusinessClock,
        zone: tzinfo,
        partitions: int,
        reach: Callable[[str, int], Reach],
        log: Logger,
    ) -> None:
        """``reach`` tells how far a partition of a topic has been read and settled."""
        self._rows = rows
        self._desk = desk
        self._clock = clock
        self._zone = zone
        self._partitions = partitions
        self._reach = reach
        self._log = log
        self.shards: dict[int, Shard] = {}

    def revoke(self, partitions: Collection[int]) -> None:
        """Forget partitions that are no longer this worker's."""
        for partition in partitions:
            self.shards.pop(partition, None)

    def problem(self) -> str | None:
        """Say what keeps the worker from being ready: a tick from the future."""
        parked = [s.partition for s in list(self.shards.values()) if s.gate.parked is not None]
        return f"ticks from the future are parked in partitions {parked}" if parked else None

    async def lane(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """Merge events into their clients' ledgers; ``settle`` makes them durable."""
        shard, now = self._shard(partition), self._now()
        for record in records:
            if record.value is None:
                continue
            try:
                self._merge(shard, record.value, now)
            except PoisonMessage as error:
                self._park(error, topic, partition, record)

    async def control(self, partition: int, record: Record) -> None:
        """Act on one control record; everything before it must have been settled."""
        if record.value is None:
            return
        shard = self._shard(partition)
        try:
            data = decode(record.value).data
            match data:
                case Tick() if data.partition == partition:
                    await self._tick(shard, data, record)
                case SnapshotState():
                    self._log.info("snapshot", partition=partition, active=data.active)
                    shard.importing = data.active
                    shard.gate.restart()
                    self._desk.keep(partition, SNAPSHOT_KEY, b"1" if data.active else b"0")
                case PolicyPublished():
                    self._adopt(shard, data)
                case _:
                    detail = f"{type(data).__name__} in partition {partition}"
                    self._park(PoisonMessage("unexpected", detail), CONTROL.name, partition, record)
        except PoisonMessage as error:
            self._park(error, CONTROL.name, partition, record)
        await self.settle()

    async def settle(self) -> None:
        """Tell what is to be told and write the rows; raises Transient."""
        await self._desk.settle(self._now())

    def _merge(self, shard: Shard, value: bytes, now: Moment) -> None:
        data = decode(value).data
        if not isinstance(data, LANE_DATA):
            raise PoisonMessage("unexpected", f"a lane does not carry {type(data).__name__}")
        if partition_of(data.client_id, self._partitions) != shard.partition:
            raise PoisonMessage(
                "wrong_partition", f"client {data.client_id} is not of partition {shard.partition}"
            )
        if merge(self._desk.row(shard, data.client_id), data, self._zone):
            self._desk.changed(shard, data.client_id, now)

    def _adopt(self, shard: Shard, data: PolicyPublished) -> None:
        if shard.adopt(data.policy):
            self._log.info("policy", partition=shard.partition, version=data.policy.version)
            self._desk.keep(shard.partition, POLICY_KEY, data.policy.model_dump_json().encode())

    async def _tick(self, shard: Shard, tick: Tick, record: Record) -> None:
        if record.timestamp_type != LOG_APPEND_TIME:
            raise Misconfigured(f"{CONTROL.name} must have message.timestamp.type=LogAppendTime")
        await self._walk(shard)
        await self._work_off(shard)
        anchor = self._clock.anchor()
        at_broker = business_time_of(record.timestamp, anchor)
        verdict = shard.gate.offer(tick, at_broker, anchor.rate)
        if verdict == "parked":
            self._log.error(
                "tick from the future",
                partition=shard.partition,
                as_of=tick.as_of.isoformat(),
                at_broker=at_broker.isoformat(),
            )
        elif verdict == "kept":
            await self._work_off(shard)

    async def _work_off(self, shard: Shard) -> None:
        """Do one chunk of the work of the tick in hand, if both lanes have passed its ends."""
        if shard.importing or shard.policy is None:
            return
        tick = shard.gate.passed(
            self._reach(LIVE.name, shard.partition), self._reach(BACKFILL.name, shard.partition)
        )
        if tick is None:
            return
        at = moment(tick.as_of, self._zone)
        clients = shard.due.until(at.day, CHUNK)
        for client_id in clients:
            row = self._desk.row(shard, client_id)
            if row.day is not None and row.day > at.day:
                # Judged on a later day already, as of the clock: a tick of that day will do it.
                shard.due.put(client_id, row.day)
            else:
                self._desk.assess(shard, client_id, at, opens=True)
        if len(clients) < CHUNK:
            shard.gate.done()
            stored = shard.tick_stored
            if stored is None or moment(stored, self._zone).day != at.day:
                shard.tick_stored = tick.as_of
                self._desk.keep(shard.partition, TICK_KEY, tick.as_of.isoformat().encode())
        await self.settle()

    async def _walk(self, shard: Shard) -> None:
        """Assess one chunk of the rows that the policy in force has not assessed yet."""
        if shard.policy is None or shard.recross_from is None:
            return
        now, found, seen = self._now(), 0, 0
        for key, value in self._rows.scan(shard.partition, shard.recross_from):
            if not key.isdigit():
                continue
            seen += 1
            if found >= CHUNK or seen > SKIM:
                shard.recross_from = key
                break
            if decode_head(value).policy != shard.policy.version:
                found += 1
                self._desk.row(shard, int(key))
                self._desk.assess(shard, int(key), now)
        else:
            shard.recross_from = None
            self._log.info("policy walked", partition=shard.partition, rows=found)
        await self.settle()

    def _shard(self, partition: int) -> Shard:
        shard = self.shards.get(partition)
        if shard is None:
            shard = Shard.rebuilt(partition, self._rows.scan(partition))
            self.shards[partition] = shard
            self._log.info("partition opened", partition=partition, due=len(shard.due))
        return shard

    def _park(self, error: PoisonMessage, topic: str, partition: int, record: Record) -> None:
        self._log.warning(
            "parked", topic=topic, partition=partition, offset=record.offset, reason=error.reason
        )
        self._desk.park(
            error,
            topic=topic,
            partition=partition,
            offset=record.offset,
            key=record.key,
            value=record.value,
        )

    def _now(self) -> Moment:
        return moment(self._clock.now(), self._zone)
