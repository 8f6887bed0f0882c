"""How far the reader of some topics is behind: in records, and in seconds of the oldest one."""

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from common.topics import (
    AT_RISK,
    BACKFILL,
    CDC_CLIENTS,
    CDC_NOTIFICATIONS,
    CDC_ORDERS,
    CDC_POLICIES,
    CONTROL,
    LIVE,
    SCORER,
    SCORES,
    group_of,
)
from engage.broker import Broker, Group
from engage.gatherer import Gatherer

COUNTED_MAX = 5_000
"""So many records of a hop are counted one by one. Beyond, offsets are subtracted, which also
counts the markers of transactions and what compaction took."""

RELAY, PROJECTOR, MAILER = "cdc-relay", "projector", "mailer"
SCORER_GROUP = re.compile(rf"{SCORER}(?:-v([0-9]+))?")

RELAYED = tuple(t.name for t in (CDC_CLIENTS, CDC_ORDERS, CDC_POLICIES, CDC_NOTIFICATIONS))
SCORER_HOP = "lanes → scorer"
LANES = (LIVE.name, BACKFILL.name, CONTROL.name)
READERS = (
    ("cdc → relay", RELAY, RELAYED),
    ("scores → projector", PROJECTOR, (SCORES.name,)),
    ("at-risk → mailer", MAILER, (AT_RISK.name,)),
)


@dataclass(frozen=True)
class Lag:
    """A group's lag on some topics."""

    hop: str
    group: str
    members: int
    """0: nobody reads."""
    records: int
    exact: bool
    """False: ``records`` counts offsets, an upper bound."""
    seconds: float | None
    """Age of the oldest record that is not consumed, by its Kafka timestamp; 0 where nothing waits,
    None where offsets do and no record lies at them."""
    topics: dict[str, int]
    """The records by topic."""

    @property
    def problem(self) -> str | None:
        """Say what a person must look at, if anything."""
        return None if self.members else f"{self.hop}: nobody reads as {self.group}"

    def document(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def generation_of(group: str) -> int | None:
    """Return which generation of the scorer a group belongs to; None when it is none of them."""
    found = SCORER_GROUP.fullmatch(group)
    return None if found is None else int(found.group(1) or 1)


def measure(
    broker: Broker, hop: str, group: str, topics: Iterable[str], *, members: int, now: float
) -> Lag:
    """Measure one group; ``now`` is wall time in seconds since 1970. Raises Transient.

    A group that has committed nothing yet will begin where the topic begins.
    """
    names = tuple(topics)
    begins, ends, committed = broker.begins(names), broker.ends(names), broker.committed(group)
    starts = {place: max(begin, committed.get(place, begin)) for place, begin in begins.items()}
    behind = {place: ends[place] - start for place, start in starts.items()}
    found = dict.fromkeys(names, 0)
    if sum(behind.values()) <= COUNTED_MAX:
        oldest: int | None = None
        for message in broker.read(starts, ends):
            found[message.topic() or ""] += 1
            oldest = _older(oldest, message.timestamp()[1])
        exact = True
    else:
        oldest = None
        for place, count in behind.items():
            found[place[0]] += max(0, count)
        for message in broker.read(starts, ends, first=True):
            oldest = _older(oldest, message.timestamp()[1])
        exact = False
    records = sum(found.values())
    seconds = None if records else 0.0
    if oldest is not None:
        seconds = round(max(0.0, now - oldest / 1000), 3)
    return Lag(hop, group, members, records, exact, seconds, found)


def measure_all(
    broker: Broker, groups: Mapping[str, Group], speaking: int | None, found: Gatherer
) -> list[Lag]:
    """Measure every hop that begins in Kafka, in the order of the flow; what fails is left out.

    Of the scorer: the generation that speaks, whether or not anybody reads as it, and the later
    ones that have members. One that was superseded reads nothing more. While nobody knows which
    one speaks (None), all that have members.
    """
    now = time.time()
    working = {
        generation
        for name, group in groups.items()
        if (generation := generation_of(name)) is not None
        and group.members
        and generation >= (speaking or 1)
    }
    generations = sorted(working | ({speaking} if speaking is not None else set()))
    scorers = tuple((SCORER_HOP, group_of(g), LANES) for g in generations)
    lags = []
    for hop, group, topics in (READERS[0], *scorers, *READERS[1:]):
        members = groups[group].members if group in groups else 0
        ask = partial(measure, broker, hop, group, topics, members=members, now=now)
        lag = found.part(f"lag of {group}", ask)
        if lag is not None:
            lags.append(lag)
    return lags


def _older(one: int | None, other: int) -> int:
    return other if one is None else min(one, other)
