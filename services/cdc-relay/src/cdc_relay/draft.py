"""A batch that was read and translated and not yet sent: nobody but the relay knows of it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from confluent_kafka import Message

from cdc_relay.snapshot import SNAPSHOT_KEY
from cdc_relay.source import NOTIFICATIONS, Batch, Position
from cdc_relay.transactions import Headers, Record
from cdc_relay.translate import translate
from common.errors import PoisonMessage
from common.kafka import park
from common.logs import Logger
from common.partition import PartitionMap
from common.topics import CONTROL


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
    parked: int = 0
    newest_ms: int = 0
    """When the last record was written to its topic: wall time in milliseconds."""

    def add(self, batch: Batch, hear: Callable[[int, bytes | None], bytes | None]) -> None:
        """Translate what was read.

        ``hear`` is told of notifications, with their offsets, and returns the state of a snapshot
        to be told to every partition, if any. A record that cannot be used is parked, in the same
        transaction.
        """
        records, facts, partition_of = self.records, self.facts, self.partition_of
        for message in batch.records:
            topic, partition = message.topic() or "", message.partition() or 0
            offset = message.offset() or 0
            try:
                if topic == NOTIFICATIONS:
                    state = hear(offset, message.value())
                    if state is not None:
                        self.tell_all(SNAPSHOT_KEY, state)
                else:
                    for out in translate(topic, partition, offset, message.value()):
                        client_id = out.client_id
                        if client_id is None:
                            self.tell_all(out.key, out.value)
                        else:
                            to = partition_of[client_id]
                            records.append((out.topic, out.value, out.key, to, None))
                        if out.fact:
                            facts.append(out.fact)
            except PoisonMessage as error:
                self._park(error, message)
            self.passed[topic, partition] = offset + 1
        self.read += len(batch.records)
        if batch.records:
            self.newest_ms = batch.records[-1].timestamp()[1]
        self.ends |= batch.ends

    def tell_all(self, key: bytes, value: bytes | None) -> None:
        """Write a record to every partition of the control topic."""
        for partition in range(self.partition_of.partitions):
            self.records.append((CONTROL.name, value, key, partition, None))

    def _park(self, error: PoisonMessage, message: Message) -> None:
        """Put a record aside as it came, with its reason."""
        topic, reasons = park(error, message)
        own = message.headers() or []
        headers: Headers = [*(own.items() if isinstance(own, dict) else own), *reasons]
        self.records.append((topic, message.value(), message.key(), 0, headers))
        self.parked += 1
        self.log.warning(
            "record parked",
            reason=error.reason,
            detail=error.detail,
            topic=message.topic(),
            partition=message.partition(),
            offset=message.offset(),
        )
