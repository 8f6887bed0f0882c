"""The yardstick: a plain confluent-kafka loop with a dict. Nothing of it survives a crash."""

import os
import signal
import threading

from bench.work import Work, clock, read, unpacked
from common.cluster import Cluster
from common.kafka import consumer, producer
from common.partition import partition_of
from common.topics import LIVE, SCORES
from scorer.rows import Row

RECORDS_AT_ONCE = 2_000


def main() -> None:
    """Work until told to stop."""
    cluster = Cluster(os.environ["KAFKA_BOOTSTRAP_SERVERS"])
    partitions = int(os.environ["TOPIC_PARTITIONS"])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    reader = consumer(cluster, "plain-loop", {"enable.auto.commit": True})
    writer = producer(cluster)
    reader.subscribe([LIVE.name])
    work = Work(clock())
    rows: dict[int, Row] = {}
    while not stop.is_set():
        changed: dict[int, Row] = {}
        for message in reader.consume(RECORDS_AT_ONCE, 0.05):
            if message.error() is not None:
                raise SystemExit(f"cannot read: {message.error()}")
            image = read(message.value() or b"")
            client_id = image.client_id
            row = rows.get(client_id)
            if row is None:
                row = rows[client_id] = unpacked(client_id, None)
            if work.merge(row, image):
                changed[client_id] = row
        for key, value in work.assess(list(changed.items())):
            while True:
                try:
                    writer.produce(SCORES.name, value, key, partition_of(int(key), partitions))
                    break
                except BufferError:
                    writer.poll(0.01)
        writer.poll(0)
    writer.flush(10)
    reader.close()


if __name__ == "__main__":
    main()
