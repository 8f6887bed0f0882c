"""When records became readable: the last stable offsets of a topic, sampled.

A record of a transaction can be read when its transaction is committed, not when the broker took
it, so timestamps would flatter whoever writes in transactions.
"""

import time
from collections.abc import Mapping

from confluent_kafka import Consumer

from bench.broker import Broker
from bench.errors import BenchFailed
from common.topics import Topic
from stack.process import Process

SAMPLE_S = 0.02


class Readable:
    """Samples of where a topic's partitions end for readers of committed records."""

    def __init__(self, broker: Broker, topic: Topic, *writers: Process) -> None:
        """Look at ``topic``, which these processes write."""
        self._broker, self._topic, self._writers = broker, topic, writers
        self._reader: Consumer = broker.reader()
        self._samples: list[tuple[float, dict[int, int]]] = []

    def close(self) -> None:
        """Disconnect."""
        self._reader.close()

    def look(self) -> dict[int, int]:
        """Return the ends now, and remember them when they moved. Raises PartFailed."""
        for writer in self._writers:
            failure = writer.died()
            if failure is not None:
                raise failure
        ends = self._broker.ends(self._reader, self._topic)
        if not self._samples or self._samples[-1][1] != ends:
            self._samples.append((time.time(), ends))
        return ends

    def settle(self, least: int, quiet_s: float, limit_s: float) -> dict[int, int]:
        """Sample until ``least`` records can be read and none came for ``quiet_s``.

        Returns the ends. Raises BenchFailed after ``limit_s``.
        """
        deadline = time.monotonic() + limit_s
        ends, since = self.look(), time.monotonic()
        while sum(ends.values()) < least or time.monotonic() - since < quiet_s:
            if time.monotonic() > deadline:
                raise BenchFailed(
                    f"{', '.join(writer.name for writer in self._writers)} wrote"
                    f" {sum(ends.values()):,} records to {self._topic.name} within {limit_s:.0f} s,"
                    f" not {least:,}; see {', '.join(str(writer.log) for writer in self._writers)}"
                )
            time.sleep(SAMPLE_S)
            found = self.look()
            if found != ends:
                ends, since = found, time.monotonic()
        return ends

    def since(self, offsets: Mapping[int, int]) -> float:
        """Return the wall time at which all of these offsets, one a partition, could be read."""
        when = [
            next((at for at, ends in self._samples if ends[partition] > offset), None)
            for partition, offset in offsets.items()
        ]
        found = [at for at in when if at is not None]
        if not found or len(found) < len(when):
            raise BenchFailed(f"records of {self._topic.name} were never seen to be readable")
        return max(found)
