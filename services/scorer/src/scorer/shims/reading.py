"""Reading: only committed records, at once, live before backfill, in runs that keep their order.

The holes, all in ``faust/transport/drivers/aiokafka.py`` and ``faust/transport/consumer.py``:

- ``_create_worker_consumer`` reads uncommitted outside of Faust's own transactions, so an agent
  sees the aborted records of a transactional writer; and it lets a fetch wait for 1.5 s.
- ``seek_to_committed`` leaves a partition without a committed offset where it stands: what was
  fetched and thrown away in a rebalance before the first commit is never read again.
- ``fetched_records`` takes an empty set of partitions for all of them, paused ones included.
- Every record becomes a message of its own, at two tasks each; records of a transaction fetched
  together are better handed on together.
- Commits: see ``flight``.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from typing import Any, cast

from aiokafka.structs import ConsumerRecord  # type: ignore[import-untyped]
from faust.transport.drivers.aiokafka import (
    AIOKafkaConsumerThread,
    Consumer,
    Transport,
)
from faust.types import TP
from faust.types.tuples import ConsumerMessage, Message

from scorer.shims.flight import Flight, Run

FETCH_WAIT_MS = 20
"""How long the broker may hold back an empty fetch; it bounds how long a new record of a partition
that was not part of the fetch under way has to wait."""

RUN_MAX = 500
"""Records in one run: a run is settled as a whole."""

IN_FLIGHT_MAX = 3_000
"""Records fetched and not yet settled; beyond it fetching waits."""

IN_FLIGHT_MAX_BACKFILL = 300
"""Beyond it the backfill lane waits: a live record is never farther than that from its turn."""

BACKPRESSURE_S = 0.005


class RunOfRecords:
    """Records of one partition, in order, handed on as one message."""

    __slots__ = ("records",)

    def __init__(self, records: Sequence[ConsumerRecord]) -> None:
        """Hold at least one record."""
        self.records = records

    def offsets(self) -> Run:
        """Return first and last offset, and the number of records."""
        return Run(self.records[0].offset, self.records[-1].offset, len(self.records))


class RunMessage(ConsumerMessage):
    """Faust's message around a run; its offset is that of the last record."""

    records: Sequence[ConsumerRecord]


class Wanted:
    """A live view on the partitions to read: it follows every pause while a fetch waits.

    Always true: the fetcher takes an empty collection for "all partitions".
    """

    def __init__(self, active: Collection[TP], without: frozenset[str]) -> None:
        """Look at ``active``, without the partitions of some topics."""
        self._active = active
        self._without = without

    def __contains__(self, tp: Any) -> bool:
        """Whether a partition is to be read now."""
        return tp in self._active and tp.topic not in self._without

    def __bool__(self) -> bool:
        """Return True."""
        return True


class CommittedReader(AIOKafkaConsumerThread):
    """The consumer's thread: read_committed, quick fetches, runs, live first."""

    consumer: "RunConsumer"

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001
        return consumer

    async def seek_to_committed(self) -> Any:
        """Seek all partitions to their committed offsets, and those without one to their start."""
        committed = await super().seek_to_committed()
        fresh = [
            tp
            for tp, offset in committed.items()
            if not offset and self.app.topics.acks_enabled_for(tp.topic)
        ]
        if fresh:
            await self.seek_to_beginning(*fresh)
        return committed

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: Any,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is Faust's
        max_records: int | None = None,
    ) -> Any:
        flight, later = self.consumer.flight, self.consumer.later
        if self.app.in_recovery:
            return await super()._fetch_records(
                consumer, cast(Any, Wanted(active_partitions, frozenset())), timeout, max_records
            )
        if flight.size >= IN_FLIGHT_MAX:
            await asyncio.sleep(BACKPRESSURE_S)
            return {}
        # What is urgent is taken without waiting; only then one waits, for anything allowed.
        found = await self._fetch(consumer, active_partitions, later, 0.0)
        if found:
            return found
        if flight.size >= IN_FLIGHT_MAX_BACKFILL:
            return await self._fetch(consumer, active_partitions, later, BACKPRESSURE_S)
        return await self._fetch(consumer, active_partitions, frozenset(), timeout or 0.0)

    async def _fetch(
        self, consumer: Any, active: Any, without: frozenset[str], timeout_s: float
    ) -> dict[TP, list[Any]]:
        flight = self.consumer.flight
        room = IN_FLIGHT_MAX_BACKFILL if not without else IN_FLIGHT_MAX
        records = await super()._fetch_records(
            consumer, cast(Any, Wanted(active, without)), timeout_s, max(1, room - flight.size)
        )
        # No await from here on: positions must not run ahead of what was noted as fetched.
        bundled = {tp: list(self._bundle(tp, found)) for tp, found in records.items()}
        assignment = consumer._subscription.subscription.assignment  # noqa: SLF001
        if assignment is not None:
            # Read, and not asked for: position() would wait where there is none yet.
            flight.publish({tp: assignment.state_value(tp)._position for tp in assignment.tps})  # noqa: SLF001
        return bundled

    def _bundle(self, tp: TP, records: Sequence[ConsumerRecord]) -> Iterator[Any]:
        if not self.app.topics.acks_enabled_for(tp.topic):
            yield from records
            return
        for start in range(0, len(records), RUN_MAX):
            run = RunOfRecords(records[start : start + RUN_MAX])
            self.consumer.flight.fetched((tp.topic, tp.partition), run.offsets())
            yield run


class RunConsumer(Consumer):
    """Hands on runs, and commits what the flight's account says."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Begin with nothing in flight."""
        self.flight = Flight()
        self.later: frozenset[str] = frozenset()
        """Topics that wait for the others."""
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> CommittedReader:
        return CommittedReader(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        if not isinstance(record, RunOfRecords):
            return super()._to_message(tp, record)
        last = record.records[-1]
        message = RunMessage(
            last.topic,
            last.partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            None,
            b"",
            b"",
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )
        message.records = record.records
        return message

    def committed(self, place: tuple[str, int]) -> int | None:
        """Return the committed offset of a topic's partition, as last read or written."""
        return self._committed_offset[TP(*place)]

    async def perform_seek(self) -> None:
        """Go back to the committed offsets; what was in flight will be fetched again."""
        await super().perform_seek()
        self.flight.forget()

    def ack(self, message: Message) -> bool:
        """Note that a run is durable. Raises LostRecords when it was not its turn."""
        fresh = super().ack(message)
        if fresh and isinstance(message, RunMessage):
            self.flight.settled((message.topic, message.partition), message.offset)
        return fresh

    def _new_offset(self, tp: TP) -> int | None:
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self.flight.committable((tp.topic, tp.partition))

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: the flight's account needs no gaps."""


class RunTransport(Transport):
    """Faust's transport with our consumer."""

    Consumer = RunConsumer
