"""Ends the process when the pipeline stands still although there is work.

The hole: Faust goes on for ever when it can no longer commit, or when an event got lost between the
fetcher and the agent; all that shows is a lag. A restart reads everything again and loses nothing.
"""

import time
from collections.abc import Mapping
from typing import NamedTuple, TypeVar

Place = tuple[str, int]
T = TypeVar("T")

COMMIT_LIMIT_S = 20.0
"""How long settled records may stay uncommitted: twenty commit intervals."""

SETTLE_LIMIT_S = 120.0
"""How long one run may be in flight: above the delivery limit of the outbox, which ends first."""


class Standstill(Exception):
    """Commits, or the settling of records, stopped."""


class Progress(NamedTuple):
    """Where each partition stands: what is settled, what is committed, what is in flight."""

    settled: Mapping[Place, int]
    """The offset that should be committed next."""
    committed: Mapping[Place, int | None]
    oldest: Mapping[Place, int]
    """The first offset in flight, where something is."""


class Watchdog:
    """Remembers since when each partition has stood where it stands."""

    def __init__(
        self, commit_limit_s: float = COMMIT_LIMIT_S, settle_limit_s: float = SETTLE_LIMIT_S
    ) -> None:
        """``commit_limit_s`` and ``settle_limit_s`` are wall seconds."""
        self._commit_limit_s = commit_limit_s
        self._settle_limit_s = settle_limit_s
        self._uncommitted: dict[Place, tuple[int | None, float]] = {}
        self._in_flight: dict[Place, tuple[int, float]] = {}

    def look(self, progress: Progress, now_s: float | None = None) -> None:
        """Compare with what was seen before; raises Standstill.

        ``now_s`` is monotonic time in seconds.
        """
        now_s = time.monotonic() if now_s is None else now_s
        lagging: dict[Place, int | None] = {
            place: progress.committed.get(place)
            for place, settled in progress.settled.items()
            if settled > (progress.committed.get(place) or 0)
        }
        self._uncommitted = _since(lagging, self._uncommitted, now_s)
        self._in_flight = _since(dict(progress.oldest), self._in_flight, now_s)
        for place, (committed, since) in self._uncommitted.items():
            if now_s - since > self._commit_limit_s:
                raise Standstill(
                    f"{place}: settled up to {progress.settled[place]}, but the commit has stood "
                    f"at {committed} for {now_s - since:.0f} s"
                )
        for place, (oldest, since) in self._in_flight.items():
            if now_s - since > self._settle_limit_s:
                raise Standstill(
                    f"{place}: offset {oldest} has been in flight for {now_s - since:.0f} s"
                )

    def problem(self, now_s: float | None = None) -> str | None:
        """Say whether something has stood still for half of what is allowed."""
        now_s = time.monotonic() if now_s is None else now_s
        slow = [
            f"{topic}/{partition}"
            for limit_s, known in (
                (self._commit_limit_s, self._uncommitted),
                (self._settle_limit_s, self._in_flight),
            )
            for (topic, partition), (_, since) in known.items()
            if now_s - since > limit_s / 2
        ]
        return f"standing still: {', '.join(sorted(set(slow)))}" if slow else None


def _since(
    seen: Mapping[Place, T], before: Mapping[Place, tuple[T, float]], now_s: float
) -> dict[Place, tuple[T, float]]:
    """Keep the time of those that stand where they stood; the others begin anew."""
    return {
        place: before[place] if place in before and before[place][0] == value else (value, now_s)
        for place, value in seen.items()
    }
