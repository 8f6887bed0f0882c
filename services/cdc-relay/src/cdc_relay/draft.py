"""A batch that was read and translated and not yet sent: nobody but the relay knows of it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from confluent_kafka import Message

from cdc_relay.hot import ORDERS, plain_order
from cdc_relay.snapshot import SNAPSHOT_KEY
from cdc_relay.source import NOTIFICATIONS, Batch, Position
from cdc_relay.transactions import Record
from cdc_relay.translate import translate
from common import tracing
from common.errors import PoisonMessage
from common.kafka import Headers, park
from common.logs import Logger
from common.partition import PartitionMap
from common.topics import CONTROL

Hear = Callable[[int, bytes | None], bytes | None]
"""Is told of a notification and its offset; returns the state to be told, if any."""


@dataclass
class Draft:
    """What a batch says, how far it read, and what became of it."""

    partition_of: PartitionMap
    """Of every topic keyed by client."""
    log: Logger
    records: list[Record] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    passed: Position = field(default_factory=dict)
    """Where reading would go on behind its records."""
    ends: Position = field(default_factory=dict)
    """Ends of partitions that were reached: they hold once all of it is committed."""
    read: int = 0
    spans: list[tracing.Span] = field(default_factory=list)
    """Of records that go on with a trace: they end when it is committed."""
    parked: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Records put aside, by topic and reason."""
    oldest_ms: int | None = None
    """When the first of its records was written to its topic: wall time in milliseconds."""

    def add(self, batch: Batch, hear: Hear) -> None:
        """Translate what was read.

        ``hear`` is told of notifications, with their offsets, and returns the state of a snapshot
        to be told to every partition, if any. A record that cannot be used is parked, in the same
        transaction.
        """
        partition_of = self.partition_of
        write, remember, passed = self.records.append, self.facts.append, self.passed
        for message in batch.records:
            topic, partition = message.topic() or "", message.partition() or 0
            offset = message.offset() or 0
            if topic == ORDERS:
                plain = plain_order(partition, offset, message.value(), partition_of)
                if plain is not None:
                    record, fact = plain
                    write(record)
                    remember(fact)
                    # This name's hash is known, that of the message's is not.
                    place = ORDERS, partition
                    if place not in passed:
                        self._begin(message)
                    passed[place] = offset + 1
                    continue
            self._add_any(message, topic, partition, offset, hear)
            place = topic, partition
            if place not in passed:
                self._begin(message)
            passed[place] = offset + 1
        self.read += len(batch.records)
        self.ends |= batch.ends

    def _begin(self, message: Message) -> None:
        """Note when a partition's first record was written: its others are no older."""
        written_ms = message.timestamp()[1]
        if self.oldest_ms is None or written_ms < self.oldest_ms:
            self.oldest_ms = written_ms

    def _add_any(
        self, message: Message, topic: str, partition: int, offset: int, hear: Hear
    ) -> None:
        try:
            if topic == NOTIFICATIONS:
                state = hear(offset, message.value())
                if state is not None:
                    self.tell_all(SNAPSHOT_KEY, state)
                return
            for out in translate(topic, partition, offset, message.value()):
                if out.client_id is None:
                    self.tell_all(out.key, out.value)
                else:
                    to = self.partition_of[out.client_id]
                    headers = self._traced(out.traceparent, topic, partition, offset)
                    self.records.append((out.topic, out.value, out.key, to, headers))
                if out.fact:
                    self.facts.append(out.fact)
        except PoisonMessage as error:
            self._park(error, message)

    def _traced(
        self, traceparent: str | None, topic: str, partition: int, offset: int
    ) -> Headers | None:
        """Go on with a change's trace, if it has one; return what its event carries on."""
        span = tracing.process((topic, partition, offset), traceparent)
        if span is None:
            return None
        self.spans.append(span)
        return tracing.header(span)

    def tell_all(self, key: bytes, value: bytes | None) -> None:
        """Write a record to every partition of the control topic."""
        for partition in range(self.partition_of.partitions):
            self.records.append((CONTROL.name, value, key, partition, None))

    def _park(self, error: PoisonMessage, message: Message) -> None:
        """Put a record aside as it came, with its reason."""
        topic, headers = park(error, message)
        self.records.append((topic, message.value(), message.key(), 0, headers))
        self.parked[message.topic() or "", error.reason] += 1
        self.log.warning(
            "record parked",
            reason=error.reason,
            detail=error.detail,
            topic=message.topic(),
            partition=message.partition(),
            offset=message.offset(),
        )
