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
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from aiokafka.structs import ConsumerRecord  # type: ignore[import-untyped]
from faust.transport.drivers.aiokafka import (
    AIOKafkaConsumerThread,
    Consumer,
    Transport,
    ensure_aiokafka_TPset,
)
from faust.types import TP
from faust.types.tuples import ConsumerMessage, Message

from scorer.shims.flight import Flight, Run
from scorer.shims.membership import end_with_coordination, name_member
from scorer.shims.turns import RUN_MAX, Turns

FETCH_WAIT_MS = 50
"""How long the broker may hold back an empty fetch; it bounds how long a new record of a partition
that was not part of the fetch under way has to wait."""

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

    def __init__(self, active: Collection[TP], topics: Collection[str]) -> None:
        """Look at those partitions of ``active`` that belong to ``topics``."""
        self._active = active
        self._topics = topics

    def __contains__(self, tp: Any) -> bool:
        """Whether a partition is to be read now."""
        return tp.topic in self._topics and tp in self._active

    def __bool__(self) -> bool:
        """Return True."""
        return True


class CommittedReader(AIOKafkaConsumerThread):
    """The consumer's thread: read_committed, quick fetches, runs, live first."""

    consumer: "RunConsumer"

    async def on_start(self) -> None:
        """Connect, name this member before it joins the group, and end if it cannot stay in it."""
        await super().on_start()
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001
        fatal = cast(Any, self.app).on_fatal
        name_member(coordinator, fatal)
        end_with_coordination(coordinator, fatal)

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001
        return consumer

    async def seek_to_committed(self) -> Any:
        """Seek all partitions to their committed offsets, and those without one to their start."""
        committed = await super().seek_to_committed()
        # What there is on the live lane shows in a moment.
        self.consumer.turns.seen()
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
        max_records: int | None = None,  # noqa: ARG002
    ) -> Any:
        turns = self.consumer.turns
        if self.consumer.retired:
            await asyncio.sleep(BACKPRESSURE_S)
            return {}
        found: dict[TP, list[Any]] = {}
        # What is urgent is taken without waiting; only then one waits, for anything allowed.
        for topic, room in turns.next():
            found |= await self._fetch(consumer, active_partitions, [topic], 0.0, room)
        if not found:
            allowed = turns.open()
            if not allowed:
                await asyncio.sleep(BACKPRESSURE_S)
                return {}
            wait_s = timeout or 0.0 if len(allowed) == len(turns.lanes) else BACKPRESSURE_S
            room = min(turns.room(topic) for topic in allowed)
            found = await self._fetch(consumer, active_partitions, allowed, wait_s, room)
        turns.seen({tp.topic for tp in found})
        return found

    async def _fetch(
        self, consumer: Any, active: Any, topics: Collection[str], timeout_s: float, room: int
    ) -> dict[TP, list[Any]]:
        wanted = cast(Any, Wanted(active, topics))
        records = await super()._fetch_records(consumer, wanted, timeout_s, room)
        # No await from here on: positions must not run ahead of what was noted as fetched.
        bundled = {tp: list(self._bundle(tp, found)) for tp, found in records.items()}
        assignment = consumer._subscription.subscription.assignment  # noqa: SLF001
        if assignment is not None:
            # Read, and not asked for: position() would wait where there is none yet.
            states = {tp: assignment.state_value(tp) for tp in assignment.tps}
            self.consumer.flight.publish(
                {tp: state._position for tp, state in states.items()}  # noqa: SLF001
            )
            self.consumer.ends = {tp: state.lso for tp, state in states.items()}
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
        self.turns = Turns(self.flight, (), ())
        self.ends: Mapping[Any, int | None] = {}
        """How far readers of committed records could come when last fetched."""
        self.retired = False
        """Whether nothing is to be read any more."""
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

    def leave_alone(self, tps: Collection[TP]) -> None:
        """Fetch nothing from these partitions: they are assigned, and nobody here reads them."""
        reader = cast(CommittedReader, self._thread)
        reader._ensure_consumer().pause(*ensure_aiokafka_TPset(tps))  # noqa: SLF001

    def lag(self) -> int | None:
        """Return how many offsets lie between what was fetched and the ends of the lanes.

        Of partitions that are being read: of one that was lost, or that is not yet back at its
        committed offset, nothing is known. None when nothing is known of any.
        """
        known: list[int] = []
        for tp, end in self.ends.items():
            position = self.flight.reach((tp.topic, tp.partition)).position
            if end is not None and position is not None and self._reads(tp):
                known.append(max(0, end - position))
        return sum(known) if known else None

    def _reads(self, tp: TP) -> bool:
        """Whether a partition of a lane is ours to read, also while its buffer is full."""
        ours = tp in self._active_partitions or tp in self._buffered_partitions
        return tp.topic in self.turns.lanes and ours and tp not in self._paused_partitions

    def committed(self, place: tuple[str, int]) -> int | None:
        """Return the committed offset of a topic's partition, as last read or written."""
        return self._committed_offset[TP(*place)]

    async def perform_seek(self) -> None:
        """Do nothing: the fetcher asks for it while the flow stands, as in a rebalance.

        What is still being settled then would be unknown to the account when its turn comes.
        Recovery goes back before it lets the flow resume.
        """

    async def go_back(self) -> None:
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
