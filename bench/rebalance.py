"""Rebalances under a steady load: how long until every partition makes progress again.

Events are written at a steady rate to all partitions while workers come and go, one after the
other: one of two is stopped (SIGTERM) and started again at once; a third joins; one of the three is
stopped and stays away; one of the two left is killed (SIGKILL). Exactly two things are timed, both
by a reader of committed scores:

- **progress**: from the change (a signal is sent, or a process is started) until every partition
  has told the score of an event that was written after the group was whole again, which is when the
  broker calls it stable and exactly the workers that run have all the partitions.
- **wait**: how long an event that was written from the change until then waited for its score, at
  the worst: of the partition that waited longest, and of the one that waited least.

A worker is a static member, so stopping it tidily does not tell the broker that it has left: both a
stopped and a killed one are missed when the session timeout has passed, and that is most of these
two times. A worker that joins, or comes back under its name, does not wait for it.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import takewhile
from pathlib import Path

from bench.broker import Broker, wait_for
from bench.errors import BenchFailed
from bench.latency import Image, Watcher
from bench.scorer_race import environment, policy
from bench.show import say
from bench.steady import PER_S, Sent, Steady
from bench.team import Worker, shared, wait_shared, working
from bench.workload import PARTITIONS
from common.topics import CONTROL

BEYOND_SESSION_S = 60.0
"""How much longer than the session timeout a rebalance may take."""
STOP_LIMIT_S = 30.0


def progress(sent: Sequence[Sent], seen: Mapping[Image, float], since: float) -> float | None:
    """Return when every partition had told the score of an event written after ``since``.

    None while one has not. ``sent`` is in the order of writing.
    """
    first: dict[int, float] = {}
    for one in takewhile(lambda one: one.at > since, reversed(sent)):
        told = seen.get(one.image)
        if told is not None:
            first[one.partition] = min(told, first.get(one.partition, told))
    return max(first.values()) if len(first) == PARTITIONS else None


def waits(sent: Iterable[Sent], seen: Mapping[Image, float]) -> dict[int, float]:
    """Return the longest time that an event of each partition waited for its score; seconds."""
    longest: dict[int, float] = {}
    for one in sent:
        waited = seen[one.image] - one.at
        longest[one.partition] = max(waited, longest.get(one.partition, 0.0))
    return longest


class Scene:
    """Workers under a steady load, and the scores that they tell."""

    def __init__(self, broker: Broker, load: Steady, watcher: Watcher, session_s: float) -> None:
        """Look at workers of this session timeout."""
        self._broker, self._load, self._watcher = broker, load, watcher
        self._limit_s = session_s + BEYOND_SESSION_S

    def time(
        self, name: str, change: Callable[[], object], after: Sequence[Worker]
    ) -> dict[str, float]:
        """Make a change after which exactly the workers of ``after`` run; return its figures.

        ``after`` may be a list that the change itself adds to. Raises BenchFailed, PartFailed.
        """
        began = time.time()
        change()

        def whole() -> bool:
            self._load.check()
            return shared(self._broker, after)

        wait_for(f"{name}: the workers left share the partitions", whole, self._limit_s)
        since, seen = time.time(), self._watcher.seen

        def going() -> bool:
            whole()
            return progress(self._load.sent, seen, since) is not None

        wait_for(f"{name}: every partition makes progress", going, self._limit_s)
        again = progress(self._load.sent, seen, since)
        if again is None:
            raise BenchFailed("progress was seen, and then not")
        meanwhile = [one for one in self._load.sent if began <= one.at <= again]

        def settled() -> bool:
            self._load.check()
            return all(one.image in seen for one in meanwhile)

        wait_for(f"{name}: what was written meanwhile is scored", settled, self._limit_s)
        longest = waits(meanwhile, seen).values()
        say(
            f"rebalance: {name}: group whole after {since - began:.1f} s, progress in every"
            f" partition after {again - began:.1f} s; events waited {max(longest):.1f} s at most,"
            f" {min(longest):.1f} s in the partition that waited least"
        )
        return {
            f"rebalance.{name}.progress_s": again - began,
            f"rebalance.{name}.wait_s": max(longest),
            f"rebalance.{name}.least_wait_s": min(longest),
        }


def measure(broker: Broker, folder: Path, session_s: float) -> dict[str, float]:
    """Let workers of one group come and go; return the figures of each change."""
    say(f"rebalance: {PER_S} events/s, session timeout {session_s:g} s")
    broker.empty()
    broker.write(CONTROL, policy())
    env = environment(broker.servers, folder) | {"SESSION_TIMEOUT_S": str(session_s)}
    figures = {"rebalance.session_timeout_s": session_s}
    with ExitStack() as stack:
        team = [stack.enter_context(working(env, folder, number)) for number in range(2)]
        wait_shared(broker, team)
        load = stack.enter_context(Steady(broker.servers))
        watcher = stack.enter_context(Watcher(broker))
        scene = Scene(broker, load, watcher, session_s)
        scene.time("warm-up", lambda: None, team)
        first = team[0].process

        def restart() -> None:
            first.stop(STOP_LIMIT_S)
            first.start()

        def join() -> None:
            team.append(stack.enter_context(working(env, folder, 2)))

        def stop() -> None:
            team.pop(0).process.stop(STOP_LIMIT_S)

        def kill() -> None:
            team.pop(0).process.kill()

        changes = {"restarted": restart, "joined": join, "stopped": stop, "killed": kill}
        for name, change in changes.items():
            figures |= scene.time(name, change, team)
    return figures
