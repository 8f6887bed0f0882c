"""Kafka as operators look at it: offsets, groups and records, read without a trace."""

import random
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from math import inf
from typing import NamedTuple, TypeVar

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    ConsumerGroupDescription,
    OffsetSpec,
)

from common import kafka
from common.cluster import Cluster
from common.errors import Misconfigured, Transient
from engage.consumers import Consumers, new

LIMIT_S = 20.0
"""For one question to the brokers."""
CONNECT_LIMIT_S = 5.0
"""For the first question: a broker that is there answers in milliseconds."""
SILENCE_LIMIT_S = 30.0
"""A reader that waits longer for a record that must be there gives up."""
NOT_YET = frozenset(
    {
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)
"""What brokers answer while a leader or a coordinator moves, or a topic has just been made."""
NOT_YET_LIMIT_S = 10.0
PAUSE_S = 0.1
BATCH = 10_000
SLICE_S = 0.1
READER = "engage-look"
"""The name under which records are read; nothing is ever committed to it."""

BEYOND = 2**63 - 1
"""An offset that no record has."""

Offsets = dict[tuple[str, int], int]
"""An offset for each (topic, partition)."""


T = TypeVar("T")


class Group(NamedTuple):
    """A consumer group as its coordinator sees it."""

    name: str
    state: str
    members: int


class Broker:
    """One cluster. Errors: Misconfigured when it does not answer at all, Transient later on."""

    def __init__(self, cluster: Cluster, *, keep: bool = False) -> None:
        """Connect, and learn the topics; raises Misconfigured.

        ``keep``: for who asks the same again and again. What was lent is kept until ``close``.
        """
        self.cluster = cluster
        self._consumers = Consumers(cluster, keep=keep)
        self.topics = kafka.topics_of(cluster, CONNECT_LIMIT_S)
        """Every topic with its number of partitions."""
        self.admin = kafka.admin(cluster)

    def look_again(self) -> None:
        """Learn which topics there are by now; raises Transient."""

        def ask() -> dict[str, int]:
            found = self.admin.list_topics(timeout=LIMIT_S).topics
            return {name: len(topic.partitions) for name, topic in found.items()}

        self.topics = _patiently("the topics", ask)

    def close(self) -> None:
        """End what was kept."""
        self._consumers.close()

    def partitions(self, topic: str) -> int:
        """Return a topic's number of partitions; raises Misconfigured when it is not there."""
        if topic not in self.topics:
            raise Misconfigured(f"topic {topic} does not exist on {self.cluster}")
        return self.topics[topic]

    def places(self, topics: Iterable[str]) -> list[tuple[str, int]]:
        """Return every partition of the topics."""
        return [(topic, p) for topic in topics for p in range(self.partitions(topic))]

    def begins(self, topics: Iterable[str]) -> Offsets:
        """Return the first offset that is kept of every partition."""
        return self._offsets(topics, OffsetSpec.earliest())  # type: ignore[no-untyped-call]

    def ends(self, topics: Iterable[str]) -> Offsets:
        """Return the last stable offsets: what readers of committed records can reach."""
        return self._offsets(topics, OffsetSpec.latest())  # type: ignore[no-untyped-call]

    def committed(self, group: str) -> Offsets:
        """Return what a group has committed; partitions without a commit are left out.

        By a consumer under the group's name, which joins nothing. The administrator's way ends the
        process where a coordinator has just moved (librdkafka, issue 5040).
        """
        places = [TopicPartition(*place) for place in self.places(self.topics)]
        with self._consumers.lent(group) as reader:

            def ask() -> list[TopicPartition]:
                told = reader.committed(places, timeout=LIMIT_S)
                for place in told:
                    if place.error is not None:
                        raise KafkaException(place.error)
                return told

            found = _patiently(f"the offsets of {group}", ask)
        return {
            (place.topic, place.partition): place.offset for place in found if place.offset >= 0
        }

    def groups(self) -> dict[str, Group]:
        """Return all consumer groups by name, with their state and number of members."""

        def ask() -> list[ConsumerGroupDescription]:
            listed = self.admin.list_consumer_groups(request_timeout=LIMIT_S).result(LIMIT_S)
            names = [group.group_id for group in listed.valid]
            if not names:
                return []
            told = self.admin.describe_consumer_groups(names, request_timeout=LIMIT_S)
            return [future.result(LIMIT_S) for future in told.values()]

        return {
            group.group_id: Group(group.group_id, group.state.name.lower(), len(group.members))
            for group in _patiently("the groups", ask)
        }

    def read(
        self,
        starts: Mapping[tuple[str, int], int],
        ends: Offsets,
        *,
        limit_s: float | None = None,
        first: bool = False,
    ) -> Generator[Message, None, None]:
        """Yield the committed records from ``starts`` up to, not including, ``ends``.

        In order within a partition; no group is joined and nothing is committed. With ``first``,
        of each partition one record at most. Raises Transient, also when not all is read within
        ``limit_s`` seconds.
        """
        until = time.monotonic() + (inf if limit_s is None else limit_s)
        left = {place for place, start in starts.items() if start < ends.get(place, 0)}
        if not left:
            return
        asked = sorted(left)
        with _translated("the records"), self._consumers.lent(READER) as reader:
            reader.assign([TopicPartition(*place, starts[place]) for place in asked])
            heard = time.monotonic()
            while left:
                _check(until)
                batch = reader.consume(BATCH, SLICE_S)
                if batch:
                    heard = time.monotonic()
                elif time.monotonic() - heard > SILENCE_LIMIT_S:
                    raise Transient(f"no record came for {SILENCE_LIMIT_S:.0f} s")
                for message in batch:
                    place, offset = _where(message)
                    if place in left and offset < ends[place]:
                        yield message
                    if first or offset + 1 >= ends.get(place, 0):
                        left.discard(place)
                if first and batch:
                    # What is prefetched of the others meanwhile would be read for nothing.
                    reader.pause([TopicPartition(*place) for place in asked if place not in left])

    def reader(self) -> Consumer:
        """Return a consumer that sees committed records and is told of each partition's end."""
        return new(self.cluster, READER)

    def _offsets(self, topics: Iterable[str], spec: OffsetSpec) -> Offsets:
        asked = {TopicPartition(*place): spec for place in self.places(topics)}
        if not asked:
            return {}

        def ask() -> Offsets:
            found = self.admin.list_offsets(
                asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=LIMIT_S
            )
            return {
                (place.topic, place.partition): future.result(LIMIT_S).offset
                for place, future in found.items()
            }

        return _patiently("the ends of topics", ask)


def _patiently(what: str, ask: Callable[[], T]) -> T:
    """Ask again while the brokers answer "not yet", for a bounded time; raises Transient."""
    end = time.monotonic() + NOT_YET_LIMIT_S
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in NOT_YET or time.monotonic() > end:
                raise _unreadable(what, error) from error
        except TimeoutError as error:
            # The future's own limit may be up before the library says that the request's is.
            raise Transient(f"{what} could not be read within {LIMIT_S:.0f} s") from error
        time.sleep(PAUSE_S * (0.5 + random.random()))  # noqa: S311 - jitter guards nothing


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Raise Transient for what Kafka's client raises."""
    try:
        yield
    except KafkaException as error:
        raise _unreadable(what, error) from error


def _unreadable(what: str, error: KafkaException) -> Transient:
    return Transient(f"{what} could not be read: {_say(error)}")


def _check(until: float) -> None:
    if time.monotonic() > until:
        raise Transient("the records could not all be read within the time given")


def _where(message: Message) -> tuple[tuple[str, int], int]:
    """Return where a record lies, the end of a partition beyond all records; raises Transient."""
    error = message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its name
        raise Transient(f"a partition could not be read: {error.str()}")
    offset = BEYOND if error is not None else message.offset() or 0
    return (message.topic() or "", message.partition() or 0), offset


def _say(error: KafkaException) -> str:
    what = error.args[0] if error.args else error
    return what.str() if isinstance(what, KafkaError) else str(what)
