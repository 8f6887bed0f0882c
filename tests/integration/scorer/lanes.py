"""The broker as the scorer's tests see it: fresh topics, events in, scores and episodes out."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from common.cluster import Cluster
from common.codec import decode, encode
from common.events import Data, EpisodeClosed, EpisodeOpened, OrderChanged, PolicyPublished
from common.kafka import create_topics, producer
from common.partition import partition_of
from common.score.policy import Policy
from common.topics import AT_RISK, BACKFILL, CONTROL, LIVE, SCORES, Topic, dead_letters_of
from tests.groups import NOT_YET, committed, ends
from tests.servers import PARTITIONS

T = TypeVar("T")

USED = (LIVE, BACKFILL, CONTROL, SCORES, AT_RISK, *map(dead_letters_of, (LIVE, BACKFILL, CONTROL)))
LIMIT_S = 60.0


def wait_for(what: str, look: Callable[[], T | None], limit_s: float = LIMIT_S) -> T:
    """Look until something true is seen; fail with its name when the limit (wall s) is over."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {limit_s:.0f} s: {what}")


@dataclass(frozen=True)
class Place:
    """Where a record lies, with its key and value."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]


class Lanes:
    """Fresh topics on a broker."""

    def __init__(self, servers: str) -> None:
        """Delete and make anew everything that the scorer reads and writes."""
        self.servers = servers
        self.admin = AdminClient({"bootstrap.servers": servers})
        self._delete()
        create_topics(Cluster(servers), USED, PARTITIONS, 1)
        self.writer = producer(Cluster(servers), {"linger.ms": 0})
        self._transactional: Producer | None = None

    def _delete(self) -> None:
        ours = [n for n in self.admin.list_topics(timeout=15).topics if not n.startswith("__")]
        if ours:
            for future in self.admin.delete_topics(ours, operation_timeout=15).values():
                future.result(20)
            wait_for(
                "the old topics to be gone",
                lambda: not (set(ours) & set(self.admin.list_topics(timeout=15).topics)),
            )

    # --- in ---

    def write(self, topic: Topic, partition: int, value: bytes | None, key: bytes = b"k") -> None:
        """Write one record as it is."""
        self.writer.produce(topic.name, key=key, value=value, partition=partition)

    def order(self, order: OrderChanged, topic: Topic = LIVE) -> None:
        """Write an order to its client's partition."""
        key = f"{order.client_id}/order/{order.order_id}".encode()
        self.write(topic, partition_of(order.client_id, PARTITIONS), wire(order), key)

    def control(self, key: bytes, data: Data) -> None:
        """Write a control event to every partition."""
        for partition in range(PARTITIONS):
            self.write(CONTROL, partition, wire(data), key)

    def policy(self, **rules: Any) -> Policy:
        """Publish a policy; return it."""
        policy = Policy(**rules)
        self.control(f"policy/{policy.version}".encode(), PolicyPublished(policy=policy))
        self.flush()
        return policy

    def flush(self) -> None:
        """Wait until all is written."""
        assert self.writer.flush(30) == 0

    def transaction(self, orders: Iterable[OrderChanged], *, commit: bool) -> None:
        """Write orders in one transaction, as the relay does, and commit or abort it."""
        if self._transactional is None:
            own = {"transactional.id": "relay-of-the-tests"}
            self._transactional = producer(Cluster(self.servers), own)
            self._transactional.init_transactions(30)
        writer = self._transactional
        writer.begin_transaction()
        for order in orders:
            writer.produce(
                LIVE.name,
                key=f"{order.client_id}/order/{order.order_id}".encode(),
                value=wire(order),
                partition=partition_of(order.client_id, PARTITIONS),
            )
        assert writer.flush(30) == 0
        (writer.commit_transaction if commit else writer.abort_transaction)(30)

    # --- out ---

    def read(self, topic: str, partitions: int = PARTITIONS) -> list[Place]:
        """Read a whole topic as it stands, by partition and offset."""
        reader = self._reader("reader-of-the-tests")
        try:
            ends = self.ends(topic, partitions, reader)
            reader.assign([TopicPartition(topic, p, 0) for p in range(partitions)])
            return list(_drain(reader, ends))
        finally:
            reader.close()

    def told(self, topic: Topic) -> list[Any]:
        """Return the data of all events on one of our topics; tombstones are left out."""
        partitions = topic.partitions or PARTITIONS
        return [decode(p.value).data for p in self.read(topic.name, partitions) if p.value]

    def scores(self) -> dict[int, Any]:
        """Return the newest score of each client."""
        return {score.client_id: score for score in self.told(SCORES)}

    def opened(self) -> list[EpisodeOpened]:
        """Return all openings."""
        return [data for data in self.told(AT_RISK) if isinstance(data, EpisodeOpened)]

    def closed(self) -> list[EpisodeClosed]:
        """Return all closings."""
        return [data for data in self.told(AT_RISK) if isinstance(data, EpisodeClosed)]

    def dead(self, topic: Topic) -> list[Place]:
        """Return the dead letters of a topic."""
        return self.read(dead_letters_of(topic).name, 1)

    def committed(self, group: str, topic: Topic = LIVE) -> dict[int, int]:
        """Return the committed offsets of a group; partitions without one are left out."""
        asked = [TopicPartition(topic.name, p) for p in range(PARTITIONS)]
        reader = self._reader(group)
        try:
            found = committed(reader, asked)
            return {tp.partition: tp.offset for tp in found if tp.offset >= 0}
        finally:
            reader.close()

    def ends(self, topic: str, partitions: int = PARTITIONS, reader: Any = None) -> dict[int, int]:
        """Return the last stable offsets of a topic."""
        own = reader or self._reader("reader-of-the-tests")
        try:
            return {p: ends(own, TopicPartition(topic, p))[1] for p in range(partitions)}
        finally:
            if reader is None:
                own.close()

    def caught_up(self, group: str) -> bool:
        """Whether a group has committed all that readers of committed records can see."""
        for lane in (LIVE, BACKFILL):
            done = self.committed(group, lane)
            last = {p.partition: p.offset + 1 for p in self.read(lane.name)}
            if any(done.get(partition, 0) < end for partition, end in last.items()):
                return False
        return True

    def _reader(self, group: str) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.servers,
                "group.id": group,
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 20,
            }
        )


def _drain(reader: Consumer, ends: dict[int, int]) -> Iterable[Place]:
    left = {partition for partition, end in ends.items() if end > 0}
    limit = time.monotonic() + LIMIT_S
    while left:
        assert time.monotonic() < limit, f"the topic could not be read to its end: {left}"
        message = reader.poll(0.5)
        if message is None:
            continue
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                left.discard(message.partition())
            elif error.code() not in NOT_YET:
                raise KafkaException(error)
            continue
        yield Place(
            message.topic() or "",
            message.partition() or 0,
            message.offset() or 0,
            message.key(),
            message.value(),
            dict(message.headers() or []),
        )


def wire(data: Data) -> bytes:
    """Encode an event."""
    now = datetime.now(UTC)
    return encode(data, id="test", source="tests", subject="test", time=now)


def order(
    client: int, number: int, version: int, when: datetime, amount: str = "30.00"
) -> OrderChanged:
    """Return an order's row image."""
    return OrderChanged(
        client_id=client,
        order_id=client * 1_000 + number,
        version=version,
        ordered_at=when,
        amount=Decimal(amount),
        currency="USD",
        status="paid",
    )
