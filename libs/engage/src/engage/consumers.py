"""Consumers that join no group: made for one question, or kept from one to the next."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import Consumer, KafkaException

from common import kafka
from common.cluster import Cluster


class Consumers:
    """Lends consumers of a cluster, each to one borrower at a time."""

    def __init__(self, cluster: Cluster, *, keep: bool) -> None:
        """``keep``: for the next who asks by that group, which saves connections to all brokers."""
        self._cluster = cluster
        self._keep = keep
        self._idle: defaultdict[str, list[Consumer]] = defaultdict(list)

    @contextmanager
    def lent(self, group: str) -> Iterator[Consumer]:
        """Lend one that sees committed records, is told of each partition's end, and has none."""
        idle = self._idle[group]
        consumer = idle.pop() if idle else new(self._cluster, group)
        whole = False
        try:
            # The library hands over what it has to say when it is polled; without partitions there
            # is no record.
            consumer.poll(0)
            yield consumer
            whole = True
        except GeneratorExit:  # Whoever reads has seen enough.
            whole = True
            raise
        finally:
            if self._keep and whole and _emptied(consumer):
                idle.append(consumer)
            else:
                consumer.close()

    def close(self) -> None:
        """End those that are kept."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()


def _emptied(consumer: Consumer) -> bool:
    """Take its partitions from a consumer; whether it can be lent again."""
    try:
        consumer.resume(consumer.assignment())
        consumer.unassign()
    except KafkaException:
        return False
    return True


def new(cluster: Cluster, group: str) -> Consumer:
    """Make one that sees committed records and is told of each partition's end."""
    return kafka.consumer(cluster, group, {"enable.partition.eof": True})
