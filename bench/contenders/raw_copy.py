"""The relay's yardstick: a raw transactional consume-produce copy, the bytes as they are.

Batches within the relay's bounds; the partitions taken in turn, as nothing is read of the bytes.
"""

import os
import signal
import threading
from itertools import cycle

from confluent_kafka import TopicPartition

from common.cluster import Cluster
from common.kafka import consumer, producer
from common.topics import CDC_ORDERS, LIVE

BATCH_MAX = 5_000
BATCH_S = 0.02
STEP_S = 10.0


def main() -> None:
    """Copy until told to stop."""
    cluster = Cluster(os.environ["KAFKA_BOOTSTRAP_SERVERS"])
    partitions = int(os.environ["TOPIC_PARTITIONS"])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    reader = consumer(cluster, "raw-copy")
    writer = producer(cluster, {"transactional.id": "raw-copy", "delivery.report.only.error": True})
    writer.init_transactions(STEP_S)
    reader.subscribe([CDC_ORDERS.name])
    turn = cycle(range(partitions))
    while not stop.is_set():
        batch = reader.consume(1, 0.2)
        if not batch:
            continue
        batch += reader.consume(BATCH_MAX - 1, BATCH_S)
        writer.begin_transaction()
        ends = {}
        for message in batch:
            if message.error() is not None:
                raise SystemExit(f"cannot read: {message.error()}")
            writer.produce(LIVE.name, message.value(), message.key(), next(turn))
            ends[message.partition() or 0] = (message.offset() or 0) + 1
        places = [TopicPartition(CDC_ORDERS.name, p, offset) for p, offset in ends.items()]
        writer.send_offsets_to_transaction(places, reader.consumer_group_metadata(), STEP_S)
        writer.commit_transaction(STEP_S)
    reader.close()


if __name__ == "__main__":
    main()
