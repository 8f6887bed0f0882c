"""Reads whole partitions in batches, as fast as they come: assigned, never subscribed.

A reader that is assigned its partitions joins no group, and one that never commits leaves no
offsets: it is not to be seen in the cluster.
"""

import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from common.cluster import Cluster
from common.errors import Transient
from common.kafka import consumer
from engage.broker import Offsets
from engage.progress import Silent, Watcher

NAME = "engage-private-reader"
"""The client library wants the name of a group; nothing is ever committed to it."""

BATCH = 10_000
WAIT_S = 0.5
SILENCE_LIMIT_S = 60.0
"""How long the broker may give nothing before reading is broken off."""
ASK_LIMIT_S = 15.0
FETCH = {
    "enable.partition.eof": True,
    "max.partition.fetch.bytes": 8 * 1024 * 1024,
    "fetch.max.bytes": 64 * 1024 * 1024,
    "queued.max.messages.kbytes": 128 * 1024,
}

Place = tuple[str, int]
"""A topic and one of its partitions."""


class Reader:
    """Reads partitions from where they begin to where they ended when they were surveyed."""

    def __init__(self, cluster: Cluster) -> None:
        """Connect lazily; ``survey`` is the first to ask the broker."""
        self._consumer = consumer(cluster, NAME, FETCH)
        self._begins: Offsets = {}
        self.ends: Offsets = {}
        """The last stable offsets at the time of the survey."""

    def __enter__(self) -> Self:
        """Nothing more to do than to be closed."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Let go of the broker."""
        self._consumer.close()

    def survey(self, places: Sequence[Place]) -> None:
        """Ask where partitions begin and end, as readers of committed records see it.

        Raises Transient.
        """
        try:
            for place in places:
                self._begins[place], self.ends[place] = self._consumer.get_watermark_offsets(
                    TopicPartition(*place), timeout=ASK_LIMIT_S
                )
        except KafkaException as error:
            raise Transient(f"the ends of the topics could not be read: {error}") from error

    def distance(self) -> int:
        """Return how many offsets lie between the begins and ends of all that was surveyed."""
        return sum(end - self._begins[place] for place, end in self.ends.items())

    def batches(
        self, places: Sequence[Place], watcher: Watcher | None = None
    ) -> Iterator[list[Message]]:
        """Give all records of surveyed partitions, in batches; progress counts offsets.

        Raises Transient when the broker fails or falls silent.
        """
        told = watcher or Silent()
        left = {place: self._begins[place] for place in places}
        self._consumer.assign([TopicPartition(*place, at) for place, at in left.items()])
        self._drop(left, told, [place for place in left if left[place] >= self.ends[place]])
        limit = time.monotonic() + SILENCE_LIMIT_S
        while left:
            messages = self._consumer.consume(BATCH, WAIT_S)
            if messages:
                yield self._sorted_out(messages, left, told)
                limit = time.monotonic() + SILENCE_LIMIT_S
            elif time.monotonic() > limit:
                raise Transient(f"the broker has given nothing for {SILENCE_LIMIT_S:.0f} s")

    def _sorted_out(self, messages: list[Message], left: Offsets, told: Watcher) -> list[Message]:
        """Return the records before the ends; take out of ``left`` what is at its end."""
        records: list[Message] = []
        over: set[Place] = set()
        passed = 0
        for message in messages:
            place = (message.topic() or "", message.partition() or 0)
            error = message.error()
            if error is not None:
                if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                    raise Transient(f"{place[0]} could not be read: {error}")
                over.add(place)
                continue
            offset, end = message.offset() or 0, self.ends[place]
            if offset < end and place in left:
                records.append(message)
                passed += offset + 1 - left[place]
                left[place] = offset + 1
            if offset >= end - 1:
                over.add(place)
        told.advance(passed)
        self._drop(left, told, [place for place in over if place in left])
        return records

    def _drop(self, left: Offsets, told: Watcher, over: Sequence[Place]) -> None:
        if over:
            # What comes after the survey is not asked for; the other partitions go on.
            self._consumer.pause([TopicPartition(*place) for place in over])
        for place in over:
            told.advance(self.ends[place] - left.pop(place))
