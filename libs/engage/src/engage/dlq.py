"""Replay of dead letters: not the old bytes, but the rows that they were about, as they stand now.

A letter is an old image; sent again it could lie last on a compacted topic. So its row is read in
Postgres and goes to the backfill lane. Only episodes, of which no row tells, go back as they came:
the mailer knows each by its id.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions as GroupOffsets
from confluent_kafka import KafkaException, TopicPartition

from common.errors import Transient
from common.topics import AT_RISK, dead_letters_of
from engage import gone
from engage.again import Again
from engage.broker import Broker
from engage.erase_owners import client_of
from engage.frame import BadInput, NotThere
from engage.lane import RATE_PER_S, Lane
from engage.letters import GROUP, SOURCES, Letter, handled, letters, summary
from engage.meaning import Need, need_of
from engage.postgres import Database, connect
from engage.progress import Watcher
from engage.rows import CHUNK, Shop
from engage.settings import Settings
from engage.waiting import scorers, until_passed

ERASED = "its client was erased: `engage erase --client ID` takes it away"
GONE = "it does not say which client had its row: run `engage reconcile`, then dismiss it"


@dataclass
class Outcome:
    """What became of the letters."""

    topic: str
    replayed: int = 0
    rows: int = 0
    removals: int = 0
    episodes: int = 0
    left: list[dict[str, Any]] = field(default_factory=list)
    """The letters that nothing can be done about here: offset, reason and why."""

    def leave(self, letter: Letter, why: str) -> None:
        """Note a letter that nothing can be done about here."""
        self.left.append({"offset": letter.offset, "reason": letter.reason, "why": why})

    def document(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def source_of(topic: str) -> str:
    """Return the source topic, named with or without ``.dlq``; raises BadInput."""
    source = topic.removesuffix(".dlq")
    if source not in SOURCES:
        raise NotThere(f"no letters are parked of topic {topic[:80]!r}; see `engage dlq list`")
    return source


def overview(settings: Settings, topic: str | None = None) -> list[dict[str, Any]]:
    """Count the letters of one topic or of all, by reason. Raises BadInput, Misconfigured."""
    sources = list(SOURCES) if topic is None else [source_of(topic)]
    broker = Broker(settings.kafka)
    done = handled(broker)
    return [
        summary(broker, source, done[source])
        for source in sources
        if dead_letters_of(SOURCES[source]).name in broker.topics
    ]


def one(settings: Settings, topic: str, offset: int) -> Letter:
    """Return one letter. Raises BadInput when there is none at that offset."""
    source = source_of(topic)
    return _at(Broker(settings.kafka), source, offset)


def waiting(settings: Settings, topic: str, most: int, *, start: int = 0) -> list[dict[str, Any]]:
    """Return the oldest letters that wait, from an offset on, as plain data.

    Only as many are read as it takes to find ``most``. Raises BadInput, Misconfigured.
    """
    source = source_of(topic)
    broker = Broker(settings.kafka)
    found = _waiting(broker, source, handled(broker)[source], start)
    return [letter.document() for letter in islice(found, most)]


def first_waiting(settings: Settings, topic: str) -> Letter | None:
    """Return the oldest letter that waits, if any does. Raises BadInput, Misconfigured."""
    source = source_of(topic)
    broker = Broker(settings.kafka)
    return next(_waiting(broker, source, handled(broker)[source]), None)


def replay(
    settings: Settings,
    topic: str,
    watcher: Watcher,
    *,
    offset: int | None = None,
    everything: bool = False,
    rate_per_s: int = RATE_PER_S,
    wait: bool = True,
) -> dict[str, Any]:
    """Deal with a topic's letters: those still waiting, one by its offset, or all that are kept.

    A letter that nothing can be done about stays waiting, with all that come after it. Raises
    BadInput before anything is written; Misconfigured, Transient, Failed.
    """
    source = source_of(topic)
    broker = Broker(settings.kafka)
    done = handled(broker)[source]
    start = offset if offset is not None else 0 if everything else done
    if offset is not None:
        _at(broker, source, offset)
    # Letters that are parked again meanwhile wait for the next time.
    end = offset + 1 if offset is not None else _end(broker, source)
    outcome = Outcome(source)
    if start < end:
        watcher.step(f"dead letters of {source}", end - start)
    with connect(settings.database) as database:
        while some := _some(broker, source, start, end):
            with (
                Lane(broker, settings.topic_partitions, rate_per_s) as lane,
                Again(broker) as again,
            ):
                chosen = [
                    one for one in some if offset is not None or everything or one.waits(done)
                ]
                _deal(database, lane, again, chosen, outcome)
            ends = lane.ends
            watcher.advance(some[-1].offset + 1 - start)
            start = some[-1].offset + 1
            if offset is None:
                # It was all delivered when the lane closed; waiting may fail and changes nothing.
                left = min((one["offset"] for one in outcome.left), default=start)
                remember(broker, source, max(done, left))
            if wait and ends:
                for group in scorers(broker):
                    until_passed(broker, group, ends, watcher)
    return outcome.document()


def dismiss(settings: Settings, topic: str, upto: int | None) -> dict[str, Any]:
    """Count letters as dealt with, up to and with an offset (None: all), and do nothing else."""
    source = source_of(topic)
    broker = Broker(settings.kafka)
    done = handled(broker)[source]
    chosen = [one for one in _waiting(broker, source, done) if upto is None or one.offset <= upto]
    if upto is not None and (not chosen or chosen[-1].offset != upto):
        raise BadInput(f"no dead letter of {source} waits at offset {upto}")
    if chosen:
        remember(broker, source, chosen[-1].offset + 1)
    return {"topic": source, "dismissed": len(chosen)}


def remember(broker: Broker, source: str, offset: int) -> None:
    """Note up to where a topic's letters were dealt with; raises Transient."""
    place = TopicPartition(dead_letters_of(SOURCES[source]).name, 0, offset)
    try:
        told = broker.admin.alter_consumer_group_offsets([GroupOffsets(GROUP, [place])])
        told[GROUP].result(20)
    except (KafkaException, TimeoutError) as error:
        raise Transient(f"what was dealt with could not be noted: {error}") from error


def _waiting(broker: Broker, source: str, done: int, start: int = 0) -> Iterator[Letter]:
    """Yield the letters that wait, in order, from an offset on."""
    return (letter for letter in letters(broker, source, max(done, start)) if letter.waits(done))


def _end(broker: Broker, source: str) -> int:
    topic = dead_letters_of(SOURCES[source]).name
    return broker.ends([topic])[topic, 0]


def _some(broker: Broker, source: str, start: int, end: int) -> list[Letter]:
    """Return the next letters before ``end``: few at a time, since there may be millions."""
    if start >= end:
        return []
    found = islice(letters(broker, source, start), CHUNK)
    return [letter for letter in found if letter.offset < end]


def _at(broker: Broker, source: str, offset: int) -> Letter:
    found = next(letters(broker, source, offset), None)
    if found is None or found.offset != offset:
        raise NotThere(f"there is no dead letter of {source} at offset {offset}")
    return found


def _deal(
    database: Database, lane: Lane, again: Again, some: list[Letter], outcome: Outcome
) -> None:
    """Deal with some letters, and note what became of each."""
    for letter in some:
        need = need_of(letter)
        headers = {"attempt": str(letter.attempt + 1)}
        if need.impossible is not None:
            outcome.leave(letter, need.impossible)
            continue
        if letter.source == AT_RISK.name:
            client = client_of(letter.key)
            if client is not None and not Shop(database).clients([client]):
                outcome.leave(letter, ERASED)
                continue
            again.send(letter, headers)
            outcome.episodes += 1
        elif not _resend(lane, database, need, headers, outcome):
            outcome.leave(letter, GONE)
            continue
        outcome.replayed += 1


def _resend(
    lane: Lane, database: Database, need: Need, headers: dict[str, str], outcome: Outcome
) -> bool:
    """Send the present rows of what a letter was about, and the removal of what is gone.

    False: nothing says whose the order was, so what has to go at a former client stays.
    """
    shop = Shop(database)
    before = lane.written
    for client in shop.clients(sorted(need.clients)).values():
        lane.send(client, headers)
    present = shop.orders(sorted(need.orders))
    for order in present.values():
        lane.send(order, headers)
    if need.whole:
        for order in shop.orders_of(sorted(need.clients)):
            lane.send(order, headers)
    outcome.rows += lane.written - before
    suspects = gone.confirmed(database, gone.Suspects(sorted(need.pairs), sorted(need.clients)))
    sent = gone.remove(lane, database, suspects, headers)
    outcome.removals += sent.orders + sent.clients
    return not need.orders or bool(need.pairs)
