"""A steady load: events at a fixed rate to all partitions, each remembered with its time."""

import threading
import time
from typing import NamedTuple, Self

from confluent_kafka import KafkaError, Message

from bench.errors import BenchFailed
from bench.latency import Image
from bench.workload import Shape, event, orders
from common.cluster import Cluster
from common.kafka import producer
from common.topics import LIVE

PER_S = 400
"""Events a second over all partitions: far below what one worker can do."""
LOAD = Shape(clients=24_000)
"""Ten minutes of them."""
WRITE_EVERY_S = 0.01


class Sent(NamedTuple):
    """An event as it was written."""

    image: Image
    partition: int
    at: float
    """Wall time just before."""


class Steady:
    """Writes events at a steady rate, from a thread of its own."""

    def __init__(self, servers: str) -> None:
        """Write to the broker at ``servers``."""
        self.sent: list[Sent] = []
        self._producer = producer(Cluster(servers), {"delivery.report.only.error": True})
        self._problem: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, name="steady load", daemon=True)

    def __enter__(self) -> Self:
        """Begin to write."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop writing."""
        self._stop.set()
        self._thread.join()
        self._producer.flush(30)

    def check(self) -> None:
        """Raise BenchFailed when the load is steady no more."""
        if self._problem is not None:
            raise BenchFailed(f"the steady load broke off: {self._problem}")

    def _write(self) -> None:
        began = time.monotonic()
        for number, order in enumerate(orders(LOAD)):
            early = began + number / PER_S - time.monotonic()
            # What is due within a moment goes out together.
            if self._stop.wait(max(early, WRITE_EVERY_S)) if early > 0 else self._stop.is_set():
                return
            partition, key, value = event(order)
            image = f"order/{order.order_id}", order.version
            self.sent.append(Sent(image, partition, time.time()))
            self._producer.produce(LIVE.name, value, key, partition, on_delivery=self._refused)
            self._producer.poll(0)
        self._problem = f"all {LOAD.events:,} events are written"

    def _refused(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._problem = f"the broker takes no events: {error}"
