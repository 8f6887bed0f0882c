"""The broker as tests look at it: an answer that only means "not yet" is no failure of a test."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

T = TypeVar("T")

LIMIT_S = 30.0
ASK_S = 10.0
LOADING = (KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS)
"""What a broker answers that has not read its groups yet, as after its start."""
NOT_YET = frozenset(
    {
        *LOADING,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TIMED_OUT,
        KafkaError._WAIT_COORD,
    }
)
"""What brokers and clients say while a topic, a leader or a coordinator is on its way."""


def patiently(ask: Callable[[], T], limit_s: float = LIMIT_S) -> T:
    """Return the answer, asking again while it is "not yet", at most so long."""
    end = time.monotonic() + limit_s
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in NOT_YET or time.monotonic() > end:
                raise
        time.sleep(0.05)


def committed(reader: Consumer, places: list[TopicPartition]) -> list[TopicPartition]:
    """Return the committed offsets of the reader's group."""
    return patiently(lambda: reader.committed(places, timeout=ASK_S))


def ends(reader: Consumer, place: TopicPartition) -> tuple[int, int]:
    """Return where a partition begins and where it ends for the reader."""
    return patiently(lambda: reader.get_watermark_offsets(place, timeout=ASK_S))


def records(messages: Iterable[Message]) -> Iterator[Message]:
    """Yield the records among what a consumer returned; raise what is a lasting error."""
    for message in messages:
        error = message.error()
        if error is None:
            yield message
        elif error.code() != KafkaError._PARTITION_EOF and error.code() not in NOT_YET:
            raise KafkaException(error)


def whole(reader: Consumer, topic: str, partition: int = 0) -> list[Message]:
    """Return all records of a partition from which none was compacted away; closes the reader."""
    place = TopicPartition(topic, partition, 0)
    _, end = ends(reader, place)
    reader.assign([place])
    found: list[Message] = []
    limit = time.monotonic() + LIMIT_S
    while len(found) < end:
        assert time.monotonic() < limit, f"{topic}: {len(found)} of {end} records came"
        found += records(reader.consume(end - len(found), 1.0))
    reader.close()
    return found
