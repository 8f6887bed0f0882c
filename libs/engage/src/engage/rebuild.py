"""A new generation of the scorer: reads everything anew in silence, is checked, takes over."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from common.cluster import Cluster
from common.errors import Misconfigured
from common.topics import SCORES, group_of
from engage.broker import Broker, Offsets
from engage.frame import Failed
from engage.history import in_force, read_policies
from engage.progress import Watcher
from engage.rebuild_generation import announce, current
from engage.rebuild_goals import SOURCES, goals, remaining
from engage.rebuild_scores import Scores, differing
from engage.rebuild_table import missing

POLL_S = 0.5
LISTED = 100
"""Clients that differ are listed up to this many; their number is told whole."""

Count = Annotated[int, Field(ge=0)]
Check = Callable[[], None]


class Plan(BaseModel):
    """What a rebuild would do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    present: int
    """The generation that speaks."""
    next: int
    group: str
    """The consumer group of the next one."""
    offsets: Count
    """How many offsets it has to pass, of both lanes and the control topic."""
    passed: Count
    """How many of them it has passed already, where an earlier rebuild was broken off."""
    clients: Count
    """Clients with a score."""
    untold: Count
    """Of these, those whom the generation that speaks has not told of yet."""


class Rebuilt(BaseModel):
    """What a rebuild has done."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    generation: int
    offsets: Count
    clients: Count
    """Clients whose newest score the new generation told."""
    differing: Count
    """Clients whom it judges otherwise than the old one, knowing the same rows and policy."""
    differing_clients: list[int]
    read_s: float
    """Until both lanes had been read."""
    takeover_s: float
    """From the announcement until every client's score was the new generation's."""

    @property
    def to_make_it_last(self) -> str:
        """What the platform has to do."""
        return f"set GENERATION={self.generation} for the scorer"


def plan(cluster: Cluster, partitions: int) -> Plan:
    """Say what a rebuild would do; changes nothing. Raises Misconfigured, Transient."""
    in_force(read_policies(cluster, partitions))
    broker = Broker(cluster)
    present = current(broker)
    goal, begins = goals(broker), broker.begins(SOURCES)
    group = group_of(present + 1)
    whole = sum(remaining(goal, {}, begins).values())
    left = sum(remaining(goal, broker.committed(group), begins).values())
    scores = Scores(broker)
    scores.follow()
    return Plan(
        present=present,
        next=present + 1,
        group=group,
        offsets=whole,
        passed=whole - left,
        clients=len(scores.of),
        untold=scores.not_of(present),
    )


def rebuild(
    cluster: Cluster, chosen: Plan, watcher: Watcher, check: Check, *, limit_s: float
) -> Rebuilt:
    """Wait until the next generation has read everything, announce it, wait until it has told all.

    Its workers run already, or are started by the platform; ``check`` raises when they fail.
    Raises Failed when the limit (wall seconds) is over or the new table lacks clients, before the
    announcement, Misconfigured when another generation was
    announced meanwhile, Transient. Until the announcement nothing was changed for anybody; after
    it, workers of the new generation tell what is still to be told, whoever runs them.
    """
    limit = _Limit(limit_s)
    broker = Broker(cluster)
    began = time.monotonic()
    before = Scores(broker)
    before.follow()
    goal = goals(broker)
    _until_read(broker, chosen, goal, watcher, check=check, limit=limit)
    read_s = time.monotonic() - began
    lost = missing(cluster, chosen.next, before.of)
    if lost:
        raise Failed(
            f"generation {chosen.next} has read everything and has no row of {len(lost):,} clients "
            f"with a score, such as {lost[0]}: it is not announced"
        )
    speaking = current(broker)
    if speaking != chosen.present:
        raise Misconfigured(
            f"generation {speaking} was announced meanwhile, so {chosen.next} is not"
        )
    before.follow()
    old = dict(before.of)
    announced = time.monotonic()
    announce(broker, chosen.next)
    watcher.say(f"generation {chosen.next} is announced; {chosen.present} falls silent")
    _until_told(before, chosen.next, watcher, check=check, limit=limit)
    others = list(differing(old, before.of))
    return Rebuilt(
        generation=chosen.next,
        offsets=chosen.offsets,
        clients=len(before.of),
        differing=len(others),
        differing_clients=others[:LISTED],
        read_s=read_s,
        takeover_s=time.monotonic() - announced,
    )


def _until_read(
    broker: Broker, chosen: Plan, goal: Offsets, watcher: Watcher, *, check: Check, limit: "_Limit"
) -> None:
    begins = broker.begins(SOURCES)
    left = sum(remaining(goal, {}, begins).values())
    watcher.step(f"offsets passed by {chosen.group}", left)
    behind = remaining(goal, {}, begins)
    while behind:
        check()
        found = remaining(goal, broker.committed(chosen.group), begins)
        watcher.advance(sum(behind.values()) - sum(found.values()))
        for place in behind.keys() - found.keys():
            watcher.say(f"{place[0]}, partition {place[1]}: passed {goal[place]:,}")
        behind = found
        if behind:
            limit.wait(
                f"{chosen.group} has {sum(behind.values()):,} offsets to go in "
                f"{len(behind)} partitions ({_by_topic(behind)}); {chosen.present} speaks on"
            )


def _until_told(
    scores: Scores, generation: int, watcher: Watcher, *, check: Check, limit: "_Limit"
) -> None:
    watcher.step(f"clients told by generation {generation}", len(scores.of))
    left = len(scores.of)
    while True:
        check()
        scores.follow()
        found = scores.not_of(generation)
        watcher.advance(max(0, left - found))
        left = found
        if not found:
            return
        limit.wait(
            f"generation {generation} was announced, and {found:,} clients' newest score on "
            f"{SCORES.name} is still an older one's"
        )


def _by_topic(behind: Offsets) -> str:
    tally: dict[str, int] = defaultdict(int)
    for (topic, _), count in behind.items():
        tally[topic] += count
    return ", ".join(f"{topic} {count:,}" for topic, count in sorted(tally.items()))


class _Limit:
    """One limit for everything that is waited for."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def wait(self, what: str) -> None:
        """Wait a little; raises Failed with ``what`` when the limit is over."""
        if time.monotonic() > self._end:
            raise Failed(f"not within {self._seconds:,.0f} s: {what}")
        time.sleep(POLL_S)
