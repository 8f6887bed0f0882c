"""The projector's loop: read a batch, write it to Postgres, commit its offsets last."""

import asyncio
import time
from collections.abc import Iterable
from typing import NamedTuple

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from client_api.projector.metrics import Metrics
from client_api.projector.records import FeatureRow, Forgotten, read, reduce
from client_api.projector.retry import Retry
from client_api.projector.store import ScoreStore
from common import kafka, tracing
from common.errors import PoisonMessage, Transient
from common.health import Check, Heartbeat
from common.topics import SCORES

BATCH_MAX = 1000
POLL_S = 0.2
PARK_LIMIT_S = 30.0
DAY_CHECK_EVERY_S = 0.05
BEAT_LIMIT_S = 60.0

log = structlog.get_logger("client_api.projector")


class Taken(NamedTuple):
    """What became of a record; its span ends when the batch is committed, or never."""

    span: tracing.Span | None
    item: FeatureRow | Forgotten | None
    poison: str | None = None
    """Why it was parked."""


class Projector:
    """Takes the scores as they come; the newest of each client wins.

    A scorer tells nothing before its generation is the current one, and the store lets a later
    generation win, so a rebuild needs no word to the projector.
    """

    def __init__(
        self, consumer: Consumer, producer: Producer, store: ScoreStore, metrics: Metrics
    ) -> None:
        """``producer`` parks the records that can never be used."""
        self._consumer = consumer
        self._producer = producer
        self._unparked: list[KafkaError] = []
        self._store = store
        self._metrics = metrics
        self._retry = Retry(metrics.postgres_failures.inc)
        self.heartbeat = Heartbeat(BEAT_LIMIT_S)
        self.assigned: int | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Turn until told to stop; raises Transient when Postgres or Kafka do not come back."""
        self._consumer.subscribe(
            [SCORES.name], on_assign=self._on_assign, on_revoke=self._on_revoke
        )
        try:
            while not stop.is_set():
                self.heartbeat.beat()
                # What arrives while a batch is being written makes up the next one.
                messages = await asyncio.to_thread(self._poll)
                if messages:
                    await self._handle(messages)
        finally:
            await asyncio.to_thread(self._consumer.close)

    def checks(self) -> dict[str, Check]:
        """Return what readiness depends on."""
        return {
            "scores-stream": lambda: (
                "no partitions assigned yet" if self.assigned is None else None
            ),
            "postgres": self._retry.check,
        }

    def _poll(self) -> list[Message]:
        first = self._consumer.poll(POLL_S)
        if first is None:
            return []
        return [first, *self._consumer.consume(BATCH_MAX - 1, 0)]

    async def _handle(self, messages: list[Message]) -> None:
        began = time.monotonic()
        taken = [await self._take(message) for message in messages]
        poisoned = [one.poison for one in taken if one.poison is not None]
        if poisoned:
            await asyncio.to_thread(self._flush)
        batch = reduce(one.item for one in taken if one.item is not None)
        if batch.rows or batch.forgotten:
            with tracing.together(
                "write scores", [one.span for one in taken if one.item is not None]
            ):
                written = await self._retry("writing scores", lambda: self._store.write(batch))
            self._metrics.wrote(written)
            log.debug("batch", records=len(messages), **written._asdict())
        self._commit(messages)
        for one in taken:
            if one.span is not None:
                one.span.end()
        self._count(messages, poisoned, time.monotonic() - began)

    async def _take(self, message: Message) -> Taken:
        """Read a record in its span, or park it."""
        span = kafka.span_of(message)
        with tracing.inside(span):
            try:
                return Taken(span, await self._read(message))
            except PoisonMessage as poison:
                self._park(poison, message)
                return Taken(span, None, poison.reason)

    def _count(self, messages: list[Message], poisoned: list[str], seconds: float) -> None:
        """Count a batch: how many records, how old, and why some were put aside."""
        metrics = self._metrics
        written_ms = [one.timestamp()[1] for one in messages if one.error() is None]
        if not written_ms:
            return
        metrics.records.inc(len(written_ms))
        metrics.batch_seconds.observe(seconds)
        metrics.delay_seconds.observe(max(0.0, time.time() - min(written_ms) / 1000))
        for reason in poisoned:
            metrics.dead_letters.labels(SCORES.name, reason).inc()

    async def _read(self, message: Message) -> FeatureRow | Forgotten | None:
        error = message.error()
        if error is not None:
            if error.fatal() or not error.retriable():
                raise KafkaException(error)
            log.warning("kafka_problem", error=error.name())
            return None
        item = read(message.key(), message.value(), message.offset() or 0)
        if isinstance(item, Forgotten):
            return item
        known = await self._retry(
            "reading policies", lambda: self._store.policies({item.policy_version})
        )
        if item.policy_version not in known:
            raise PoisonMessage("unknown_policy", f"there is no policy {item.policy_version}")
        return item

    def _park(self, poison: PoisonMessage, message: Message) -> None:
        topic, headers = kafka.park(poison, message)

        def delivered(problem: KafkaError | None, _: Message) -> None:
            if problem is not None:
                self._unparked.append(problem)

        tracing.failed(tracing.current(), poison.reason)
        log.error(
            "record_parked",
            reason=poison.reason,
            partition=message.partition(),
            offset=message.offset(),
        )
        self._producer.produce(
            topic,
            key=message.key(),
            value=message.value(),
            headers=headers,
            on_delivery=delivered,
        )

    def _flush(self) -> None:
        """Wait until what was parked is there; flush alone does not tell failed from delivered."""
        waiting = self._producer.flush(PARK_LIMIT_S)
        failed, self._unparked = self._unparked, []
        if waiting or failed:
            raise Transient(f"records could not be parked: {failed or 'no answer'}")

    def _commit(self, messages: Iterable[Message]) -> None:
        """Commit what is written; should it get lost, the same records come again, harmlessly."""
        ends: dict[int, int] = {}
        for message in messages:
            partition, offset = message.partition(), message.offset()
            if message.error() is None and partition is not None and offset is not None:
                ends[partition] = max(ends.get(partition, 0), offset + 1)
        self._consumer.commit(
            offsets=[TopicPartition(SCORES.name, p, offset) for p, offset in ends.items()],
            asynchronous=True,
        )

    def _on_assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self.assigned = len(partitions)
        log.info("assigned", partitions=sorted(p.partition for p in partitions))

    def _on_revoke(self, _: Consumer, __: list[TopicPartition]) -> None:
        self.assigned = None
