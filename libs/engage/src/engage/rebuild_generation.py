"""Which generation of the scorer speaks, and how the next one is told that it does."""

from datetime import UTC, datetime

from confluent_kafka import KafkaException

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
    """Return the generation that speaks: the highest announced, 1 before any was.

    Announcements stand in all partitions or in none, so one is read. Raises Misconfigured without
    the topic, Transient.
    """
    one = (CONTROL.name, 0)
    starts = {one: broker.begins((CONTROL.name,))[one]}
    found = 1
    for message in broker.read(starts, broker.ends((CONTROL.name,))):
        if message.key() != KEY or message.value() is None:
            continue
        try:
            data = decode(message.value()).data
        except PoisonMessage:  # parked by every scorer, so announced to nobody
            continue
        if isinstance(data, GenerationAnnounced):
            found = max(found, data.generation)
    return found


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
