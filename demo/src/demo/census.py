"""How many events and scores went through Kafka: counted by reading the topics."""

import time

from confluent_kafka import OFFSET_BEGINNING, KafkaError, TopicPartition

from common.cluster import Cluster
from common.kafka import consumer
from common.topics import AT_RISK, BACKFILL, LIVE, SCORES
from demo.api import StepMissing

LIMIT_S = 120.0
BATCH = 5000


def census(cluster: Cluster, partitions: int) -> dict[str, int]:
    """Count the committed records with a value on each topic of the flow; commits no offset."""
    reader = consumer(cluster, "demo-census", {"enable.partition.eof": True})
    counts = dict.fromkeys((LIVE.name, BACKFILL.name, SCORES.name, AT_RISK.name), 0)
    places = [
        TopicPartition(name, partition, OFFSET_BEGINNING)
        for name in counts
        for partition in range(partitions)
    ]
    try:
        reader.assign(places)
        left, deadline = len(places), time.monotonic() + LIMIT_S
        while left:
            if time.monotonic() > deadline:
                raise StepMissing("the topics could not be read to their ends")
            for message in reader.consume(BATCH, 1.0):
                error = message.error()
                if error is None:
                    counts[message.topic() or ""] += message.value() is not None
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                    left -= 1
    finally:
        reader.close()
    return counts
