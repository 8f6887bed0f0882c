"""What keeps a worker from being ready, in words for people."""

import time
from collections.abc import Callable
from datetime import timedelta

from common.clock import BusinessClock
from scorer.keeper import Keeper
from scorer.shard import Shard
from scorer.ticks import TOLERANCE_S

TICK_LIMIT_S = 120.0
"""Wall seconds that a tick may wait for the lanes: beyond it episodes open visibly too late."""


class Readiness:
    """Looks at the partitions of a keeper; called from the health server's thread."""

    def __init__(self, keeper: Keeper, clock: BusinessClock, lag: Callable[[], int | None]) -> None:
        """``lag`` tells how many offsets lie between what was read and the ends of the lanes."""
        self._keeper = keeper
        self._clock = clock
        self._lag = lag

    def ticks(self, now_s: float | None = None) -> str | None:
        """Say whether time does not pass as it should. ``now_s`` is monotonic time in seconds."""
        now_s = time.monotonic() if now_s is None else now_s
        shards = self._shards()
        parked = [shard.partition for shard in shards if shard.gate.parked is not None]
        if parked:
            return f"ticks from the future are parked in partitions {parked}"
        anchor = self._clock.anchor()
        latest = self._clock.now() + timedelta(seconds=TOLERANCE_S) * anchor.rate
        ahead = [
            shard.partition
            for shard in shards
            if shard.gate.acted is not None and shard.gate.acted > latest
        ]
        if ahead:
            return f"business time is behind the last tick acted on in partitions {ahead}"
        waiting = [shard.partition for shard in shards if _tick_wait_s(shard, now_s) > TICK_LIMIT_S]
        if waiting:
            return f"ticks have waited for the lanes for {TICK_LIMIT_S:.0f} s in {waiting}"
        return None

    def tick_wait_s(self) -> float:
        """Return how long the tick that waits longest has waited, in wall seconds."""
        now_s = time.monotonic()
        return max((_tick_wait_s(shard, now_s) for shard in self._shards()), default=0.0)

    def partitions(self) -> int:
        """Return how many partitions are worked on."""
        return len(self._keeper.shards)

    def silent(self) -> int:
        """Return in how many of them another generation speaks."""
        return sum(not voice.speaks for voice in list(self._keeper.voices.values()))

    def _shards(self) -> list[Shard]:
        return list(self._keeper.shards.values())

    def generation(self) -> str | None:
        """Say whether another generation speaks."""
        if self._keeper.superseded_by is not None:
            return f"superseded by generation {self._keeper.superseded_by}"
        voices = list(self._keeper.voices.values())
        silent = [voice for voice in voices if not voice.speaks]
        if silent:
            current = min(voice.current for voice in silent)
            lag = self._lag()
            behind = "unknown" if lag is None else lag
            return f"silent: generation {silent[0].own}, current {current}; {behind} behind"
        return None


def _tick_wait_s(shard: Shard, now_s: float) -> float:
    """Return how long a partition's tick has waited for the lanes; in a snapshot it may."""
    taken_s = shard.gate.taken_s
    return 0.0 if shard.importing or taken_s is None else now_s - taken_s
