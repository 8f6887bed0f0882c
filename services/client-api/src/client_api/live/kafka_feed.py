"""Scores and episodes from Kafka to the hub: every partition from its end on, never committed."""

import asyncio
import random
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from client_api.live.events import Kind, episode_event
from client_api.live.hub import Hub
from common import kafka
from common.cluster import Cluster
from common.codec import decode
from common.errors import PoisonMessage, Transient
from common.events import ClientScored, Data, EpisodeClosed, EpisodeOpened
from common.health import Heartbeat
from common.topics import AT_RISK, SCORES

POLL_S = 0.2
BATCH_MAX = 500
"""Records handed to the event loop at once; it sends them on before it gets the next ones."""
HANDOVER_LIMIT_S = 60.0
BEAT_LIMIT_S = 90.0
STOP_LIMIT_S = 10.0
PROBE_EVERY_S = 1.0
PROBE_LIMIT_S = 1.0
ENDS_ATTEMPTS = 7
ENDS_PAUSE_FIRST_S = 0.1
"""Together some seconds."""
GROUP = "client-api-events"
"""librdkafka wants a name; nothing is ever committed under it."""

log = structlog.get_logger("client_api.live")


class _Event(NamedTuple):
    kind: Kind
    data: bytes


class KafkaFeed:
    """One consumer in one thread; shows records of the newest scorer generation that it met."""

    def __init__(
        self,
        cluster: Cluster,
        hub: Hub,
        on_crash: Callable[[BaseException], None],
        currency: str,
    ) -> None:
        """``on_crash`` is told, in the event loop, when the thread dies of what nobody foresaw.

        ``currency`` is the shop's, in which values are told.
        """
        self._cluster = cluster
        self._currency = currency
        self._generation = 0
        self._hub = hub
        self._on_crash = on_crash
        self._stopping = threading.Event()
        self._beat = Heartbeat(BEAT_LIMIT_S)
        self._problem: str | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Find the ends of the topics and follow them from there; raises Transient."""
        self._loop = asyncio.get_running_loop()
        ends = await self._ends()
        consumer = kafka.consumer(
            self._cluster,
            GROUP,
            {
                "auto.offset.reset": "latest",
                "error_cb": self._on_error,
            },
        )
        consumer.assign(
            [TopicPartition(topic, part, offset) for (topic, part), offset in ends.items()]
        )
        self._thread = threading.Thread(target=self._run, args=(consumer,), name="events")
        self._thread.start()

    async def _ends(self) -> dict[tuple[str, int], int]:
        """Return where the topics end; just after they were made, brokers need a moment."""
        pause_s = ENDS_PAUSE_FIRST_S
        attempt = 1
        while True:
            try:
                return await asyncio.to_thread(
                    kafka.high_watermarks, self._cluster, (SCORES.name, AT_RISK.name)
                )
            except Transient as error:
                log.warning("topics_not_ready", reason=str(error), attempt=attempt)
                if attempt == ENDS_ATTEMPTS:
                    raise
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            pause_s *= 2
            attempt += 1

    async def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, STOP_LIMIT_S)

    def checks(self) -> dict[str, str | None]:
        """Return what is wrong with the broker, and with the thread that reads from it."""
        alive = self._thread is not None and self._thread.is_alive()
        return {
            "kafka": self._problem,
            "scores-stream": self._beat.check() if alive else "the reader has ended",
        }

    def _run(self, consumer: Consumer) -> None:
        try:
            while not self._stopping.is_set():
                self._turn(consumer)
        except BaseException as error:  # noqa: BLE001 - a thread's errors would vanish
            assert self._loop is not None  # noqa: S101 - set before the thread starts
            if not self._stopping.is_set():
                self._loop.call_soon_threadsafe(self._on_crash, error)
        finally:
            consumer.close()

    def _turn(self, consumer: Consumer) -> None:
        self._beat.beat()
        first = consumer.poll(POLL_S)
        if self._problem is not None:
            self._probe(consumer)
        if first is None:
            return
        records = [first, *consumer.consume(BATCH_MAX - 1, 0)]
        if not self._hub.wanted():
            return
        events = [event for record in records if (event := self._event_of(record))]
        assert self._loop is not None  # noqa: S101 - set before the thread starts
        handed = asyncio.run_coroutine_threadsafe(self._deliver(events), self._loop)
        handed.result(HANDOVER_LIMIT_S)

    async def _deliver(self, events: list[_Event]) -> None:
        for event in events:
            self._hub.publish(event.kind, event.data)
        # Pages get their turn before the next batch comes.
        await asyncio.sleep(0)

    def _event_of(self, record: Message) -> _Event | None:
        error = record.error()
        if error is not None:
            self._on_error(error)
            return None
        raw = record.value()
        if raw is None:
            return None
        try:
            told = self._told_of(decode(raw).data)
        except PoisonMessage as poison:
            # The reader that owns the topic's dead letters parks it.
            log.warning("record_not_shown", topic=record.topic(), reason=poison.reason)
            return None
        return told and _Event(*told)

    def _told_of(self, data: Data) -> tuple[Kind, bytes] | None:
        """Return the kind and JSON of what pages are told; nothing of a superseded generation."""
        if not isinstance(data, ClientScored | EpisodeOpened | EpisodeClosed):
            return None
        if data.generation < self._generation:
            return None
        self._generation = data.generation
        if isinstance(data, ClientScored):
            return "score", data.model_dump_json().encode()
        return "episode", episode_event(data, self._currency).model_dump_json().encode()

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            raise KafkaException(error)
        if self._problem is None:
            log.warning("kafka_problem", error=error.name())
        self._problem = f"{error.name()} since {time.strftime('%H:%M:%SZ', time.gmtime())}"

    def _probe(self, consumer: Consumer) -> None:
        """After a problem, find out whether it has passed."""
        if self._stopping.wait(PROBE_EVERY_S):
            return
        try:
            consumer.list_topics(SCORES.name, timeout=PROBE_LIMIT_S)
        except KafkaException:
            return
        self._problem = None
        log.info("kafka_answers_again")
