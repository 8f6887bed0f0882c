"""What topics that are keyed by client still hold of erased clients: the newest record of each key.

Compaction keeps the newest alone, so what must go are newest records that bear something. Older
ones are counted: they are gone when the brokers have compacted.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from common.codec import decode
from common.errors import PoisonMessage
from common.events import (
    ClientChanged,
    ClientErased,
    ClientScored,
    EpisodeClosed,
    EpisodeOpened,
    OrderChanged,
    OrderRemoved,
)
from common.partition import partition_of
from common.topics import AT_RISK, BACKFILL, LIVE, SCORES, changelog_of
from engage.broker import Broker, Offsets
from engage.erase_owners import client_of
from engage.lag import generation_of
from engage.rebuild_generation import current

LANES = (LIVE.name, BACKFILL.name)
TOLD = (SCORES.name, AT_RISK.name)
CHANGELOG = re.compile(r"(.+)-ledgers-changelog")


class Place(NamedTuple):
    """A key on a topic."""

    topic: str
    key: bytes


class Newest:
    """The newest record of each key of some clients, followed to the topics' ends."""

    def __init__(self, broker: Broker, topics: Sequence[str], clients: Sequence[int]) -> None:
        """Begin at the beginning of the clients' partitions."""
        self._broker = broker
        self._topics = tuple(topics)
        self._clients = frozenset(clients)
        begins = broker.begins(self._topics)
        self._next: Offsets = {
            place: begins[place]
            for topic in self._topics
            for place in {(topic, partition_of(c, broker.partitions(topic))) for c in clients}
        }
        self.of: dict[Place, bytes | None] = {}
        self.older: dict[str, int] = dict.fromkeys(self._topics, 0)
        """Records with a value behind which a newer one of the same key lies, by topic."""

    def follow(self) -> None:
        """Read up to where the topics end by now. Raises Transient."""
        ends = self._broker.ends(self._topics)
        for message in self._broker.read(self._next, ends):
            key = message.key() or b""
            if client_of(key) in self._clients:
                place = Place(message.topic() or "", key)
                self.older[place.topic] += self.of.get(place) is not None
                self.of[place] = message.value()
        self._next = {place: max(at, ends[place]) for place, at in self._next.items()}

    def bearing(self, upto: Mapping[int, int]) -> list[Place]:
        """Return the keys whose newest record bears something of a life that ended at a version."""
        return [
            place
            for place, value in self.of.items()
            if bears(place.topic, value, upto[client_of(place.key) or 0])
        ]

    def erased(self, client: int) -> int:
        """Return the highest version up to which the lanes say that a client is erased; 0: none."""
        key = b"%d/erased" % client
        versions = [0]
        for lane in LANES:
            value = self.of.get(Place(lane, key))
            data = None if value is None else _read(value)
            if isinstance(data, ClientErased):
                versions.append(data.version)
        return max(versions)


def bears(topic: str, value: bytes | None, upto: int) -> bool:
    """Say whether a record bears more than ids and versions of a client erased up to a version.

    What cannot be read does.
    """
    if value is None:
        return False
    if topic not in (*LANES, *TOLD):
        return True  # a changelog: rows of ids, versions, days and amounts
    match _read(value):
        case OrderRemoved() | ClientErased() | EpisodeClosed():
            return False
        case OrderChanged() | ClientChanged() | ClientScored() as image:
            return image.version <= upto
        case EpisodeOpened() as opened:
            versions = (version for day in opened.evidence for _, version in day.orders)
            return min(versions, default=0) <= upto
    return True


def superseded(broker: Broker) -> list[str]:
    """Return the changelogs that no scorer will write to any more. Raises Misconfigured, Transient.

    Those of earlier generations, and of later ones whose rebuild was broken off: should it go on,
    it reads of the erasure on the lanes. Whoever speaks, or reads on, erases its rows itself.
    """
    speaking, groups = current(broker), broker.groups()
    found = []
    for topic in sorted(broker.topics):
        named = CHANGELOG.fullmatch(topic)
        generation = generation_of(named[1]) if named else None
        if generation is None or generation == speaking or topic != changelog_of(generation).name:
            continue
        group = groups.get(named[1]) if named else None
        if generation < speaking or group is None or not group.members:
            found.append(topic)
    return found


def _read(value: bytes) -> object:
    try:
        return decode(value).data
    except PoisonMessage:
        return None
