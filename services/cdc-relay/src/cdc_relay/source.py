"""Where the records come from: one consumer on the raw topics, its place kept by transactions."""

import time
from typing import Any, NamedTuple

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from cdc_relay.transactions import FENCED, Broken, Fenced
from common.errors import Transient
from common.logs import Logger
from common.topics import CDC_CLIENTS, CDC_NOTIFICATIONS, CDC_ORDERS, CDC_POLICIES

TABLES = (CDC_CLIENTS.name, CDC_ORDERS.name, CDC_POLICIES.name)
NOTIFICATIONS = CDC_NOTIFICATIONS.name
SOURCES = (*TABLES, NOTIFICATIONS)

IDLE_S = 0.2
"""How long a turn waits for a first record: bounds how late a stop is noticed."""
TIMEOUT_S = 5.0
ASK_EVERY_S = 5.0
ANSWER_LIMIT_S = 20.0

Position = dict[tuple[str, int], int]
"""The next offset of each (topic, partition)."""

MENDED = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001 - the library's public names of its codes
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._RESOLVE,  # noqa: SLF001
        KafkaError._MAX_POLL_EXCEEDED,  # noqa: SLF001
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
    }
)
"""What the client mends by itself; anything else ends the process."""


class Batch(NamedTuple):
    """What was read: records in order, and the partitions whose end was reached meanwhile.

    The offset of an end counts the markers of transactions; that of the last record does not.
    """

    records: list[Message]
    ends: Position


class Source:
    """Reads batches, and goes back to what is committed when a batch failed."""

    def __init__(self, consumer: Consumer, log: Logger) -> None:
        """Join the group. Nothing is read before ``read``."""
        self._consumer = consumer
        self._log = log
        self._assigned: set[tuple[str, int]] = set()
        self._lost = self._skipped = False
        self._asked = self._answered = 0.0
        consumer.subscribe(list(SOURCES), on_assign=self._gain, on_revoke=self._lose)

    def read(self, most: int, seconds: float, *, holding: bool) -> Batch:
        """Return up to ``most`` records as soon as there are so many, or what came in ``seconds``.

        ``holding`` says that the caller has read something that is not committed: then no change of
        the group may pass unnoticed. Raises Fenced, Broken, Transient.
        """
        found = self._consume(most, seconds)
        void = self._skipped or (self._lost and (holding or bool(found)))
        self._lost = self._skipped = False
        if void:
            raise Transient("the group changed while a batch was read")
        ends: Position = {}
        records: list[Message] = []
        for message in found:
            error = message.error()
            if error is None:
                records.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
                ends[message.topic() or "", message.partition() or 0] = message.offset() or 0
            else:
                _judge(error)
        return Batch(records, ends)

    def go_back(self) -> None:
        """Go on from the committed offsets. Raises Transient, Fenced, Broken."""
        places = [TopicPartition(*place) for place in sorted(self._assigned)]
        try:
            for place in self._consumer.committed(places, timeout=TIMEOUT_S):
                if place.offset < 0:
                    low, _ = self._consumer.get_watermark_offsets(place, timeout=TIMEOUT_S)
                    place.offset = low
                self._consumer.seek(place)
        except KafkaException as error:
            _judge(error.args[0])
            raise Transient(f"could not go back: {error}") from error

    def pause(self) -> None:
        """Let nothing more come. What was fetched ahead is thrown away by the client."""
        self._consumer.pause(self._consumer.assignment())

    def idle(self, seconds: float) -> None:
        """Poll while paused: the membership stays alive and no record comes.

        Only a change of the group can bring one; then the next ``read`` raises Transient.
        """
        try:
            self._skipped |= bool(self._consume(1, seconds))
        except Transient:
            self._skipped = True

    def resume(self) -> None:
        """Let records come again."""
        self._consumer.resume(self._consumer.assignment())

    def group(self) -> Any:
        """Return what a transaction needs to know of the group, to refuse a former member."""
        return self._consumer.consumer_group_metadata()

    def ask(self) -> None:
        """See from time to time whether the broker still answers, for readiness."""
        now = time.monotonic()
        if now - self._asked < ASK_EVERY_S:
            return
        self._asked = now
        try:
            self._consumer.list_topics(NOTIFICATIONS, timeout=1.0)
        except KafkaException as error:
            self._log.warning("the broker does not answer", reason=str(error))
        else:
            self._answered = time.monotonic()

    def assigned(self) -> str | None:
        """Readiness: all sources are ours."""
        missing = sorted(set(SOURCES) - {topic for topic, _ in self._assigned})
        return f"not assigned: {', '.join(missing)}" if missing else None

    def broker(self) -> str | None:
        """Readiness: the broker answered lately."""
        silent = self._answered == 0 or time.monotonic() - self._answered > ANSWER_LIMIT_S
        return "the broker does not answer" if silent else None

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()

    def _consume(self, most: int, seconds: float) -> list[Message]:
        try:
            return self._consumer.consume(most, seconds)
        except KafkaException as error:
            _judge(error.args[0])
            raise Transient(str(error)) from error

    def _gain(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._assigned |= {(p.topic, p.partition) for p in partitions}
        self._log.info("partitions assigned", count=len(self._assigned))

    def _lose(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._assigned -= {(p.topic, p.partition) for p in partitions}
        self._lost = True
        self._log.info("partitions revoked", left=len(self._assigned))


def _judge(error: KafkaError) -> None:
    """Raise what ends the process; return for what the client mends by itself."""
    # A fenced static member is told so under the general code for fatal errors.
    if error.code() in FENCED or "fenced" in error.str().lower():
        raise Fenced(f"another process took over: {error.str()}")
    if error.fatal() or error.code() not in MENDED:
        raise Broken(f"{error.name()}: {error.str()}")
