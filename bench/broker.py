"""The broker as the benchmarks use it: fresh topics, load in transactions, scores as they came."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

from confluent_kafka import (
    Consumer,
    ConsumerGroupState,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from bench.errors import BenchFailed
from bench.workload import PARTITIONS, Written
from common.cluster import Cluster
from common.kafka import admin, consumer, create_topics, producer
from common.topics import TOPICS, Topic

TRANSACTION_RECORDS = 5_000
"""As the relay writes them."""
ADMIN_LIMIT_S = 30.0
READ_AT_ONCE = 5_000
QUEUE_KB = 64 * 1024


def wait_for(what: str, look: Callable[[], bool], limit_s: float, every_s: float = 0.05) -> None:
    """Look until it is so; raises BenchFailed with its name when ``limit_s`` (wall) is over."""
    end = time.monotonic() + limit_s
    while not look():
        if time.monotonic() > end:
            raise BenchFailed(f"not within {limit_s:.0f} s: {what}")
        time.sleep(every_s)


RETRIABLE = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError._TIMED_OUT,  # noqa: SLF001 - the library's public name of its own code
    }
)
"""What a broker answers for a moment about topics just made, or groups not read yet."""

T = TypeVar("T")


def patiently(ask: Callable[[], T]) -> T:
    """Ask the broker, again while it says that it cannot answer yet."""
    end = time.monotonic() + ADMIN_LIMIT_S
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in RETRIABLE or time.monotonic() > end:
                raise
        time.sleep(0.1)


class Broker:
    """One broker, emptied before each use."""

    def __init__(self, servers: str) -> None:
        """Use the broker at ``servers``."""
        self.servers = servers
        self._cluster = Cluster(servers)
        self._admin = admin(self._cluster)

    def empty(self) -> None:
        """Delete every topic, and the offsets with them; make ours anew."""
        ours = self._ours()
        if ours:
            for future in self._admin.delete_topics(ours, operation_timeout=15).values():
                future.result(ADMIN_LIMIT_S)
            wait_for("the old topics are gone", lambda: not self._ours(), ADMIN_LIMIT_S)
        create_topics(self._cluster, TOPICS, PARTITIONS, 1)

    def _ours(self) -> list[str]:
        return [
            n
            for n in self._admin.list_topics(timeout=15).topics
            if not n.startswith("__con") and not n.startswith("__tra")
        ]

    def load(
        self, topic: Topic, records: Iterable[Written], seen: Callable[[int], None] | None = None
    ) -> int:
        """Write records in transactions, as the relay does; return how many there were."""
        writer = producer(
            self._cluster,
            {
                "transactional.id": "bench-load",
                "delivery.report.only.error": True,
                "queue.buffering.max.messages": 500_000,
                "linger.ms": 20,
                "batch.size": 512 * 1024,
            },
        )
        writer.init_transactions(30)
        count, open_ = 0, False
        for partition, key, value in records:
            if not open_:
                writer.begin_transaction()
                open_ = True
            writer.produce(topic.name, value, key, partition)
            count += 1
            if count % TRANSACTION_RECORDS == 0:
                writer.commit_transaction(60)
                open_ = False
                if seen is not None:
                    seen(count)
        if open_:
            writer.commit_transaction(60)
        return count

    def write(self, topic: Topic, records: Iterable[Written]) -> None:
        """Write a few records, without a transaction."""
        writer = producer(self._cluster, {"linger.ms": 0})
        for partition, key, value in records:
            writer.produce(topic.name, value, key, partition)
        if writer.flush(30):
            raise BenchFailed(f"{topic.name} takes no records")

    def reader(self) -> Consumer:
        """Return a consumer of committed records that belongs to nobody's group."""
        return consumer(
            self._cluster,
            "bench-reader",
            {"enable.partition.eof": True, "queued.max.messages.kbytes": QUEUE_KB},
        )

    def ends(self, reader: Consumer, topic: Topic) -> dict[int, int]:
        """Return the last stable offset of each partition."""
        found = {}
        for partition in range(topic.partitions or PARTITIONS):
            place = TopicPartition(topic.name, partition)
            ask = partial(reader.get_watermark_offsets, place, timeout=15)
            found[partition] = patiently(ask)[1]
        return found

    def lag(self, group: str, topic: Topic) -> int:
        """Return how many records of a topic a group has not settled; markers count too."""
        reader = consumer(self._cluster, group)
        try:
            places = [TopicPartition(topic.name, p) for p in range(topic.partitions or PARTITIONS)]
            known = patiently(lambda: reader.committed(places, timeout=15))
            done = {p.partition: max(0, p.offset) for p in known}
            ends = self.ends(reader, topic)
        finally:
            reader.close()
        return sum(end - done[partition] for partition, end in ends.items())

    def members(self, group: str, topic: Topic) -> dict[str, set[int]]:
        """Return which partitions of a topic each member has, by its name for the broker.

        Nobody has any while the group is not stable.
        """
        ask = partial(self._admin.describe_consumer_groups, [group], request_timeout=ADMIN_LIMIT_S)
        found = patiently(lambda: ask()[group].result(ADMIN_LIMIT_S))
        if found.state != ConsumerGroupState.STABLE:
            return {}
        return {
            one.group_instance_id or one.member_id: {
                place.partition
                for place in one.assignment.topic_partitions
                if place.topic == topic.name
            }
            for one in found.members
        }

    def read(self, topic: Topic, begin: dict[int, int] | None = None) -> Iterator[Message]:
        """Read a topic from offsets on to where it ends now."""
        reader = self.reader()
        try:
            left = {p: end for p, end in self.ends(reader, topic).items() if end > 0}
            starts = begin or {}
            reader.assign([TopicPartition(topic.name, p, starts.get(p, 0)) for p in left])
            end = time.monotonic() + 300
            while left:
                if time.monotonic() > end:
                    raise BenchFailed(f"{topic.name} could not be read to its end")
                for message in reader.consume(READ_AT_ONCE, 0.1):
                    error = message.error()
                    if error is None:
                        yield message
                    elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
                        left.pop(message.partition() or 0, None)
                    else:
                        raise BenchFailed(f"{topic.name} cannot be read: {error}")
        finally:
            reader.close()
