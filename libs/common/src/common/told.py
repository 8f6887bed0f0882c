"""What the scorer tells, as fast structs: byte for byte readable by ``common.codec``.

``common.events`` defines these events; a property test proves that what is written here decodes to
the same values.
"""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from common.score.model import State


class Features(Struct, frozen=True, gc=False):
    """Mirror of common.events.ScoreFeatures."""

    frequency: float
    value: float
    n: int
    first_day: int
    last_day: int


class Parts(Struct, frozen=True, gc=False):
    """Mirror of common.events.ScoreParts."""

    intercept: float
    frequency: float
    value: float
    recency: float


class Scored(Struct, frozen=True, gc=False, tag=False):
    """Mirror of common.events.ClientScored; ``merged`` is JSON already."""

    client_id: int
    generation: int
    version: int
    merged: msgspec.Raw
    policy_version: int
    as_of: datetime
    day: int
    score: float | None
    state: State
    features: Features | None
    parts: Parts | None
    entry: float | None
    exit: float | None
    crossing_day: int | None
    lapse_day: int | None
    episode_id: str | None


class Evidence(Struct, frozen=True, gc=False):
    """Mirror of common.events.EvidenceDay."""

    day: int
    cents: int
    orders: tuple[tuple[int, int], ...]


class Opened(Struct, frozen=True, gc=False):
    """Mirror of common.events.EpisodeOpened."""

    episode_id: str
    client_id: int
    generation: int
    policy_version: int
    as_of: datetime
    last_order_day: int
    crossing_day: int
    cause: Literal["score", "silence"]
    score: float
    entry: float
    value: float
    parts: Parts
    evidence: list[Evidence]


class Closed(Struct, frozen=True, gc=False):
    """Mirror of common.events.EpisodeClosed."""

    episode_id: str
    client_id: int
    generation: int
    policy_version: int
    as_of: datetime
    reason: Literal["order", "score", "erased"]


class _Written(Struct, frozen=True, gc=False):
    """The CloudEvents envelope, in the field order of common.events.Event."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str
    data: Opened | Closed


_encode = msgspec.json.Encoder().encode


_SCORED = (
    b'{"specversion":"1.0","id":"score:%d:%d:%d:%d:%d","source":%b,"type":"client.scored.v1",'
    b'"subject":"%d","time":%b,"datacontenttype":"application/json","data":%b}'
)


def write_scored(data: Scored, source: str, time: datetime) -> bytes:
    """Return the bytes of a score event; its id is the same for every copy of the same fact.

    There is one for each client and run, so the envelope is a template and no struct.
    """
    client = data.client_id
    return _SCORED % (
        client,
        data.version,
        data.policy_version,
        data.day,
        data.generation,
        _encode(source),
        client,
        _encode(time),
        _encode(data),
    )


def write_opened(data: Opened, source: str, time: datetime) -> bytes:
    """Return the bytes of an opened episode."""
    name = f"opened:{data.episode_id}:{data.as_of.isoformat()}"
    return _write("episode.opened.v1", name, data, source, time)


def write_closed(data: Closed, source: str, time: datetime) -> bytes:
    """Return the bytes of a closed episode."""
    name = f"closed:{data.episode_id}:{data.as_of.isoformat()}"
    return _write("episode.closed.v1", name, data, source, time)


def _write(type_: str, name: str, data: Opened | Closed, source: str, time: datetime) -> bytes:
    return _encode(
        _Written("1.0", name, source, type_, str(data.client_id), time, "application/json", data)
    )
