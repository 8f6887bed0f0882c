"""Which generation of the scorer speaks, and how the next one is told that it does."""

from datetime import UTC, datetime

from confluent_kafka import KafkaException, Message

from common import kafka
from common.codec import decode, encode
from common.errors import PoisonMessage, Transient
from common.events import GenerationAnnounced
from common.topics import CONTROL
from engage.broker import Broker

KEY = b"generation"
SOURCE = "engage"
WRITER = "engage-rebuild"
"""A second rebuild that announces at the same time fences the first one off."""
LIMIT_S = 30.0


def current(broker: Broker) -> int:
    """Return the generation that speaks. Raises Misconfigured without the topic, Transient."""
    return Announced().latest(broker)


class Announced:
    """The generation that speaks, for who asks again and again: nothing is read twice."""

    def __init__(self) -> None:
        """Begin with what is so before any was announced."""
        self._generation = 1
        self._next = 0

    def latest(self, broker: Broker) -> int:
        """Return the generation that speaks: the highest announced, 1 before any was.

        Announcements stand in all partitions or in none, so one is read. Raises Misconfigured
        without the topic, Transient.
        """
        one = (CONTROL.name, 0)
        begin, ends = broker.begins((CONTROL.name,))[one], broker.ends((CONTROL.name,))
        for message in broker.read({one: max(begin, self._next)}, ends):
            self._generation = max(self._generation, _announced(message))
        self._next = ends[one]
        return self._generation


def _announced(message: Message) -> int:
    """Return which generation a record announces; 0 when it is about something else."""
    value = message.value()
    if message.key() != KEY or value is None:
        return 0
    try:
        data = decode(value).data
    except PoisonMessage:  # parked by every scorer, so announced to nobody
        return 0
    return data.generation if isinstance(data, GenerationAnnounced) else 0


def announce(broker: Broker, generation: int) -> None:
    """Tell every partition, in one transaction, which generation speaks. Raises Transient.

    Telling it again changes nothing.
    """
    now = datetime.now(UTC)
    value = encode(
        GenerationAnnounced(generation=generation),
        id=f"generation:{generation}",
        source=SOURCE,
        subject=f"generation/{generation}",
        time=now,
    )
    writer = kafka.producer(broker.cluster, {"transactional.id": WRITER})
    try:
        writer.init_transactions(LIMIT_S)
        writer.begin_transaction()
        for partition in range(broker.partitions(CONTROL.name)):
            writer.produce(CONTROL.name, value, KEY, partition)
        writer.commit_transaction(LIMIT_S)
    except KafkaException as error:
        raise Transient(f"generation {generation} could not be announced: {error}") from error
