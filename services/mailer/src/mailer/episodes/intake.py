"""The Kafka loop: records episodes as the scorer tells them, commits, and never asks the model."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from common import kafka, tracing
from common.codec import decode
from common.errors import PoisonMessage, Transient
from common.events import EpisodeClosed, EpisodeOpened, Event
from common.health import Heartbeat
from common.logs import Logger
from common.topics import AT_RISK
from mailer.metrics import Metrics

GROUP = "mailer"
BATCH_MAX = 500
POLL_S = 0.2
FLUSH_S = 30.0

CONSUMER = {
    "session.timeout.ms": 8000,
    "heartbeat.interval.ms": 2500,
    "partition.assignment.strategy": "cooperative-sticky",
}
"""A short session: after a crash, the next process takes over within seconds."""

LOST_ASSIGNMENT = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError._ASSIGNMENT_LOST,  # noqa: SLF001 - so the library names its own codes
        KafkaError._NO_OFFSET,  # noqa: SLF001
    }
)
"""A commit that comes too late: another member reads the records again, which is harmless."""

Record = Callable[[Event[Any]], Awaitable[None]]


class Intake:
    """Consumes ``client.at-risk``; all calls of the Kafka clients happen on one thread."""

    def __init__(
        self,
        consumer: Consumer,
        producer: Producer,
        record: Record,
        beat: Heartbeat,
        *,
        metrics: Metrics,
        log: Logger,
    ) -> None:
        """Pass each event to ``record``, which must be done with it when it returns."""
        self._consumer = consumer
        self._producer = producer
        self._record = record
        self._beat = beat
        self._metrics = metrics
        self._log = log
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kafka")
        self._assigned = False

    def assigned(self) -> str | None:
        """Tell readiness whether this member has its part of the topic."""
        return None if self._assigned else "no assignment yet"

    async def run(self, stopping: asyncio.Event) -> None:
        """Consume until told to stop; what was recorded is committed before the end."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._subscribe)
        try:
            while not stopping.is_set():
                self._beat.beat()
                messages = await loop.run_in_executor(
                    self._thread, self._consumer.consume, BATCH_MAX, POLL_S
                )
                await self._take(messages)
        finally:
            await loop.run_in_executor(self._thread, self._consumer.close)
            self._thread.shutdown()

    async def _take(self, messages: list[Message]) -> None:
        began = time.monotonic()
        done: dict[tuple[str, int], int] = {}
        parked: Counter[str] = Counter()
        written_ms: list[int] = []
        for message in messages:
            problem = message.error()
            if problem is not None:
                self._passing(problem)
                continue
            self._beat.beat()
            with tracing.inside(kafka.span_of(message), ends=True):
                try:
                    if message.value() is not None:  # else of a client who was erased
                        await self._record(_event_of(message))
                except PoisonMessage as error:
                    await self._park(message, error)
                    parked[error.reason] += 1
            written_ms.append(message.timestamp()[1])
            done[message.topic() or "", message.partition() or 0] = (message.offset() or 0) + 1
        if done:
            offsets = [TopicPartition(t, p, o) for (t, p), o in done.items()]
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, self._commit, offsets)
            self._count(written_ms, parked, time.monotonic() - began)

    def _count(self, written_ms: list[int], parked: Counter[str], seconds: float) -> None:
        """Count a batch: when its records were written, and why some of them were put aside."""
        metrics = self._metrics
        metrics.records.inc(len(written_ms))
        metrics.batch_seconds.observe(seconds)
        metrics.delay_seconds.observe(max(0.0, time.time() - min(written_ms) / 1000))
        for reason, number in parked.items():
            metrics.dead_letters.labels(AT_RISK.name, reason).inc(number)

    async def _park(self, message: Message, error: PoisonMessage) -> None:
        tracing.failed(tracing.current(), error.reason)
        self._log.error(
            "record parked",
            reason=error.reason,
            detail=error.detail,
            topic=message.topic(),
            partition=message.partition(),
            offset=message.offset(),
        )
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._produce, message, error)

    def _produce(self, message: Message, error: PoisonMessage) -> None:
        topic, headers = kafka.park(error, message)
        failures: list[KafkaError] = []

        def delivered(problem: KafkaError | None, _message: Message) -> None:
            if problem is not None:
                failures.append(problem)

        self._producer.produce(
            topic,
            key=message.key(),
            value=message.value(),
            headers=headers,
            on_delivery=delivered,
        )
        if self._producer.flush(FLUSH_S) or failures:
            raise Transient(f"a record could not be parked: {failures or 'no answer'}")

    def _subscribe(self) -> None:
        self._consumer.subscribe(
            [AT_RISK.name], on_assign=self._on_assign, on_revoke=self._on_revoke
        )

    def _on_assign(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._assigned = True
        self._log.info("partitions assigned", partitions=[p.partition for p in partitions])

    def _on_revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._log.info("partitions revoked", partitions=[p.partition for p in partitions])

    def _commit(self, offsets: list[TopicPartition]) -> None:
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            self._passing(error.args[0])

    def _passing(self, problem: KafkaError) -> None:
        """Go on after what the client mends by itself; anything else ends the process."""
        if problem.fatal() or not (problem.retriable() or problem.code() in _PASSING):
            raise KafkaException(problem)
        self._log.warning("kafka", problem=problem.name())


_PASSING = LOST_ASSIGNMENT | {
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError._WAIT_COORD,  # noqa: SLF001
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
}


def _event_of(message: Message) -> Event[Any]:
    event = decode(message.value())
    if not isinstance(event.data, EpisodeOpened | EpisodeClosed):
        raise PoisonMessage("unexpected_type", f"{event.type} has no place on {AT_RISK.name}")
    return event
