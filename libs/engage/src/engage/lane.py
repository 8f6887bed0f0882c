"""The backfill lane as operators write it: domain events made of rows as they stand in Postgres.

Merging makes this harmless: the scorer keeps the newest version of each order, whatever comes how
often. Never the live lane: that is the relay's alone, and a compacted topic keeps what came last.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, KafkaException, Message

from common import kafka
from common.codec import encode
from common.errors import Misconfigured, Transient
from common.events import (
    TYPE_OF,
    ClientChanged,
    ClientErased,
    OrderChanged,
    OrderRemoved,
)
from common.partition import partition_of
from common.topics import BACKFILL
from engage.broker import Broker, Offsets

SOURCE = "engage"
RATE_PER_S = 5_000
"""Records a second, so that a replay stays a guest: a scorer takes several times as many."""
FLUSH_LIMIT_S = 60.0
GRACE_S = 5.0
"""For what is still on its way when the writing broke off."""
SLICE_S = 0.05

Event = ClientChanged | ClientErased | OrderChanged | OrderRemoved


def key_of(event: Event) -> bytes:
    """Return the key of an event on the lanes."""
    match event:
        case OrderChanged() | OrderRemoved():
            return b"%d/order/%d" % (event.client_id, event.order_id)
        case ClientErased():
            return b"%d/erased" % event.client_id
        case ClientChanged():
            return b"%d/client" % event.client_id


def id_of(event: Event) -> str:
    """Return an event's identity: table, key, version, client, type; as the relay names it."""
    match event:
        case OrderChanged() | OrderRemoved():
            row = f"orders:{event.order_id}"
        case ClientChanged() | ClientErased():
            row = f"clients:{event.client_id}"
    return f"{row}:{event.version}:{event.client_id}:{TYPE_OF[type(event)]}"


class Lane:
    """Writes events at a bounded rate; a context manager that ends with all of them delivered."""

    topics: tuple[str, ...] = (BACKFILL.name,)

    def __init__(self, broker: Broker, partitions: int, rate_per_s: int = RATE_PER_S) -> None:
        """Check the lane; raises Misconfigured when it has another number of partitions."""
        for topic in self.topics:
            have = broker.partitions(topic)
            if have != partitions:
                raise Misconfigured(
                    f"topic {topic} has {have} partitions, not {partitions} "
                    "(TOPIC_PARTITIONS): keys would go astray"
                )
        self._partitions = partitions
        self._rate = rate_per_s
        self._producer = kafka.producer(broker.cluster)
        self._failed: list[str] = []
        self._began = time.monotonic()
        self.written = 0
        self.ends: Offsets = {}
        """The offset after the last record of ours, of each partition that got some."""

    def __enter__(self) -> Self:
        """Write for a while."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Deliver what was written; raises Transient when the broker took not all of it."""
        if error is None:
            self.flush()
        else:
            self._producer.flush(GRACE_S)

    def send(self, event: Event, headers: Mapping[str, str] | None = None) -> None:
        """Write one event; raises Transient."""
        value = encode(
            event,
            id=id_of(event),
            source=SOURCE,
            subject=str(event.client_id),
            time=datetime.now(UTC),
        )
        self._write(event.client_id, key_of(event), value, headers)
        if isinstance(event, ClientErased):
            # As the relay does it: the last image is taken away.
            self._write(event.client_id, b"%d/client" % event.client_id, None, headers)

    def flush(self) -> None:
        """Wait until all is delivered; raises Transient."""
        left = self._producer.flush(FLUSH_LIMIT_S)
        if left or self._failed:
            why = self._failed[0] if self._failed else "the broker does not answer"
            raise Transient(f"{left + len(self._failed)} records were not delivered: {why}")

    def _write(
        self, client_id: int, key: bytes, value: bytes | None, headers: Mapping[str, str] | None
    ) -> None:
        partition = partition_of(client_id, self._partitions)
        for topic in self.topics:
            self.put(topic, partition, key, value, headers)

    def put(
        self,
        topic: str,
        partition: int,
        key: bytes,
        value: bytes | None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Write one record to a place of its own; raises Transient."""
        self._keep_rate()
        until = time.monotonic() + FLUSH_LIMIT_S
        while True:
            try:
                self._producer.produce(
                    topic,
                    value,
                    key,
                    partition,
                    headers=[(name, text.encode()) for name, text in (headers or {}).items()],
                    on_delivery=self._delivered,
                )
            except BufferError:
                self._producer.poll(SLICE_S)
                if time.monotonic() > until:
                    raise Transient("the broker takes no records") from None
            except KafkaException as error:
                raise Transient(f"a record could not be written: {error}") from error
            else:
                break
        self.written += 1
        self._producer.poll(0)
        if self._failed:
            raise Transient(f"records were not delivered: {self._failed[0]}")

    def _keep_rate(self) -> None:
        ahead = self.written / self._rate - (time.monotonic() - self._began)
        if ahead > SLICE_S:
            self._producer.poll(0)
            time.sleep(ahead)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed.append(error.str())
            return
        place = (message.topic() or "", message.partition() or 0)
        self.ends[place] = max(self.ends.get(place, 0), (message.offset() or 0) + 1)
