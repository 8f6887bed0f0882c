"""The projector's loop: read a batch, write it to Postgres, commit its offsets last."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import date
from zoneinfo import ZoneInfo

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from client_api.projector.days import Days
from client_api.projector.records import FeatureRow, Forgotten, read, reduce
from client_api.projector.retry import Retry
from client_api.projector.store import ScoreStore
from common import kafka
from common.clock import BusinessClock, date_of, day_of
from common.errors import PoisonMessage, Transient
from common.health import Check, Heartbeat
from common.topics import SCORES

BATCH_MAX = 1000
POLL_S = 0.2
PARK_LIMIT_S = 30.0
DAY_CHECK_EVERY_S = 0.05
BEAT_LIMIT_S = 60.0

log = structlog.get_logger("client_api.projector")


class Projector:
    """Takes the scores as they come; the newest of each client wins.

    A scorer tells nothing before its generation is the current one, and the store lets a later
    generation win, so a rebuild needs no word to the projector.
    """

    def __init__(self, consumer: Consumer, producer: Producer, store: ScoreStore) -> None:
        """``producer`` parks the records that can never be used."""
        self._consumer = consumer
        self._producer = producer
        self._unparked: list[KafkaError] = []
        self._store = store
        self._retry = Retry()
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
        items: list[FeatureRow | Forgotten] = []
        poisoned = 0
        for message in messages:
            try:
                item = await self._read(message)
            except PoisonMessage as poison:
                self._park(poison, message)
                poisoned += 1
                continue
            if item is not None:
                items.append(item)
        if poisoned:
            await asyncio.to_thread(self._flush)
        batch = reduce(items)
        if batch.rows or batch.forgotten:
            written = await self._retry("writing scores", lambda: self._store.write(batch))
            log.debug("batch", records=len(messages), **written._asdict())
        self._commit(messages)

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


class DayWatch:
    """Switches the served day when the business day moves on; days that passed are skipped."""

    def __init__(
        self,
        days: Days,
        clock: BusinessClock,
        zone: ZoneInfo,
        switched: Callable[[], None] = lambda: None,
    ) -> None:
        """``zone`` is the shop's: its midnight begins a day; ``switched`` hears of each switch."""
        self._switched = switched
        self._days = days
        self._clock = clock
        self._zone = zone
        self._retry = Retry()
        self._served: date | None = None
        self.heartbeat = Heartbeat(BEAT_LIMIT_S)

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until told to stop; raises Transient when Postgres does not come back."""
        while not stop.is_set():
            self.heartbeat.beat()
            await self.turn()
            await asyncio.sleep(DAY_CHECK_EVERY_S)

    async def first(self, stop: asyncio.Event) -> None:
        """Return once any day is served: before that there is no day to write scores for."""
        while self._served is None and not stop.is_set():
            await self.turn()
            await asyncio.sleep(DAY_CHECK_EVERY_S)

    async def turn(self) -> None:
        """Serve the present business day, if it is not served yet."""
        today = date_of(day_of(self._clock.now(), self._zone))
        if self._served is not None and today <= self._served:
            return
        started = asyncio.get_running_loop().time()
        filled = await self._retry("switching the day", lambda: self._days.advance(today))
        self._served = await self._retry("reading the served day", self._days.served)
        if filled is not None:
            self._switched()
            took_ms = round((asyncio.get_running_loop().time() - started) * 1000)
            log.info("day_served", as_of=str(self._served), rows=filled, ms=took_ms)
