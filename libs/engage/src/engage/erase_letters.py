"""Dead letters of erased clients are taken away; those of others stay, and are shown as before.

Kafka deletes from a partition's beginning only. So the letters of others that lie before the last
one to go are written again behind all others, in one transaction, and then everything up to that
one is deleted. A crash in between leaves letters twice, which the next run sees, and loses none.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from confluent_kafka import KafkaException, Message, Producer, TopicPartition

from common import kafka
from common.errors import Transient
from common.topics import CDC_ORDERS, dead_letters_of
from engage.broker import Broker
from engage.erase_owners import owners, reduced
from engage.letters import DEALT_WITH, SOURCES, handled

LIMIT_S = 60.0
TRANSACTION_LIMIT_S = 600.0
"""For all letters of a topic; a broker allows 15 minutes unless told otherwise."""
POLL_S = 0.1
GRACE_S = 5.0
WRITER = "engage-erase"
"""A second erasure of the same letters at the same time fences the first one off."""

Headers = list[tuple[str, bytes]]
Pause = Callable[[], None]


@dataclass
class Removal:
    """What became of the letters of one topic."""

    topic: str
    removed: dict[int, int] = field(default_factory=dict)
    """How many letters of each client went."""
    moved: int = 0
    """Letters of others that were written again."""
    reduced: int = 0
    """Of these, those about two clients, which say no more than ids and versions now."""
    unreadable: list[int] = field(default_factory=list)
    """Offsets of letters of which nothing tells whose they are; retention takes them."""


@dataclass(frozen=True)
class _Copy:
    """A letter as it is written again."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int

    def digest(self) -> bytes:
        """Return 32 bytes that no other letter has."""
        said = (self.key, self.value, self.headers, self.timestamp_ms)
        return sha256(repr(said).encode()).digest()


def remove_all(
    broker: Broker,
    clients: Sequence[int],
    owner_of: Mapping[int, frozenset[int]],
    *,
    unreadable: bool = False,
) -> list[Removal]:
    """Remove the letters of these clients from every topic of dead letters; say what became of it.

    With ``unreadable`` also the letters of which nobody can tell whose they are. Raises Transient.
    """
    done = handled(broker)
    found = []
    for source, topic in SOURCES.items():
        if dead_letters_of(topic).name in broker.topics:
            removal = remove(
                broker, source, frozenset(clients), owner_of, done[source], unreadable=unreadable
            )
            if removal.removed or removal.unreadable:
                found.append(removal)
    return found


def remove(
    broker: Broker,
    source: str,
    clients: frozenset[int],
    owner_of: Mapping[int, frozenset[int]],
    done: int,
    *,
    unreadable: bool = False,
    pause: Pause = lambda: None,
) -> Removal:
    """Remove the letters of ``clients`` from one topic of dead letters.

    ``done`` is up to where its letters were dealt with. ``pause`` is called between the two halves.
    Raises Transient; doing it again is harmless.
    """
    name = dead_letters_of(SOURCES[source]).name
    begins, ends = broker.begins([name]), broker.ends([name])
    outcome = Removal(name)
    digests: dict[int, bytes] = {}
    last = -1

    def kept(letter: Message) -> tuple[_Copy | None, frozenset[int] | None]:
        """Return what stays of a letter, and whose it is."""
        whose = owners(source, letter.key(), letter.value(), owner_of)
        copy = _copy(letter, dealt_with=(letter.offset() or 0) < done)
        if whose is None:
            return (None if unreadable else copy), None
        if not whose & clients:
            return copy, whose
        shared = source == CDC_ORDERS.name and bool(whose - clients)
        return (replace(copy, value=reduced(letter.value())) if shared else None), whose

    for letter in broker.read(begins, ends):
        offset = letter.offset() or 0
        copy, whose = kept(letter)
        if copy is not None:
            digests[offset] = copy.digest()
        if copy is not None and copy.value == letter.value():
            # Of others alone, or left here by an earlier run with ids alone.
            if whose is None:
                outcome.unreadable.append(offset)
            continue
        last = offset
        for client in {0} if whose is None else whose & clients:
            outcome.removed[client] = outcome.removed.get(client, 0) + 1
        outcome.reduced += copy is not None
    if not outcome.removed:
        return outcome
    after = {digest for offset, digest in digests.items() if offset > last}
    again = {offset for offset, digest in digests.items() if offset <= last and digest not in after}
    outcome.moved = len(again)
    # Read once more: all letters at once may be more than memory holds.
    letters = broker.read(begins, dict.fromkeys(ends, last + 1))
    copies = (kept(letter)[0] for letter in letters if letter.offset() in again)
    _write(broker, name, (copy for copy in copies if copy is not None), len(again))
    pause()
    _delete(broker, name, last + 1)
    return outcome


def _copy(letter: Message, *, dealt_with: bool) -> _Copy:
    own: Any = letter.headers() or []
    headers: Headers = [(name, value or b"") for name, value in own]
    if dealt_with and DEALT_WITH not in dict(headers):
        headers.append((DEALT_WITH, b"1"))
    return _Copy(letter.key(), letter.value(), tuple(headers), letter.timestamp()[1])


def _write(broker: Broker, topic: str, copies: Iterable[_Copy], number: int) -> None:
    """Write letters at the end of their topic, all of them or none, and wait until readers see
    them: a commit is answered before that. Raises Transient.
    """
    if not number:
        return
    before = broker.ends([topic])[topic, 0]
    writer = kafka.producer(
        broker.cluster,
        {
            "transactional.id": f"{WRITER}-{topic}",
            "transaction.timeout.ms": int(TRANSACTION_LIMIT_S * 1000),
        },
    )
    try:
        writer.init_transactions(LIMIT_S)
        writer.begin_transaction()
        try:
            _produce_all(writer, topic, copies, number)
            writer.commit_transaction(LIMIT_S)
        except BaseException:
            # An open one would keep readers waiting; if this fails, too, the next run ends it.
            with contextlib.suppress(KafkaException):
                writer.abort_transaction(GRACE_S)
            raise
    except KafkaException as error:
        raise Transient(f"letters of {topic} could not be written again: {error}") from error
    until = time.monotonic() + LIMIT_S
    while broker.ends([topic])[topic, 0] < before + number:
        if time.monotonic() > until:
            raise Transient(f"letters of {topic} were written again and cannot be read yet")
        time.sleep(POLL_S)


def _produce_all(writer: Producer, topic: str, copies: Iterable[_Copy], number: int) -> None:
    written = 0
    for copy in copies:
        _produce(writer, topic, copy)
        written += 1
    if written != number:
        raise Transient(f"letters of {topic} went while they were read")


def _produce(writer: Producer, topic: str, copy: _Copy) -> None:
    """Write one letter, when the writer has room for it. Raises KafkaException, Transient."""
    until = time.monotonic() + LIMIT_S
    while True:
        try:
            writer.produce(
                topic,
                copy.value,
                copy.key,
                0,
                headers=list(copy.headers),
                timestamp=max(copy.timestamp_ms, 0),
            )
        except BufferError:
            writer.poll(POLL_S)
            if time.monotonic() > until:
                raise Transient(f"the broker takes no letters of {topic}") from None
        else:
            writer.poll(0)
            return


def _delete(broker: Broker, topic: str, before: int) -> None:
    """Delete everything of a topic before an offset. Raises Transient."""
    try:
        told = broker.admin.delete_records(
            [TopicPartition(topic, 0, before)], request_timeout=LIMIT_S
        )
        for future in told.values():
            future.result(LIMIT_S)
    except KafkaException as error:
        raise Transient(f"letters of {topic} could not be deleted: {error}") from error
