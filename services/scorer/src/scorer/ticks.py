"""Pure: when a tick may be acted on. One gate a partition.

A tick says: at business time ``as_of``, both lanes reached up to these offsets. It is acted on when
all of that has been merged, so a replay or a lagging start never judges half a ledger. While one
waits or is being worked off, newer ones only knock: under load their ends would run away for ever.
"""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from common.clock import Anchor
from common.events import Tick

TOLERANCE_S = 5.0
"""Wall seconds by which a worker's clock may be ahead of the broker's before its ticks are parked:
far above what NTP leaves and what a record takes to the broker, far below a day."""

Verdict = Literal["kept", "waiting", "old", "parked"]


class Reach(NamedTuple):
    """How far this worker has come in one partition of one lane."""

    position: int | None
    """The consumer's position; it counts transaction markers and compacted gaps. None: unknown."""
    first_open: int | None
    """Offset of the first record fetched and not yet durably merged; None when there is none."""

    def passed(self, end: int) -> bool:
        """Whether everything below ``end`` has been fetched and merged."""
        if self.position is None or self.position < end:
            return False
        return self.first_open is None or self.first_open >= end


class Gate:
    """Which tick of a partition is in hand, and which was acted on last."""

    def __init__(self, acted: datetime | None = None) -> None:
        """Begin with the business time of the last tick acted on, if one is known."""
        self.acted = acted
        self.in_hand: Tick | None = None
        self.parked: Tick | None = None
        """The newest tick, if it came from the future: readiness is red while there is one."""
        self.taken_s: float | None = None
        """Since when the tick in hand has been there, in seconds of the caller's clock."""
        self._skips = False

    def offer(
        self, tick: Tick, at_broker: datetime, rate: float, now_s: float | None = None
    ) -> Verdict:
        """Take a tick in hand, unless it is old, from the future, or another one is in hand.

        ``at_broker`` is the business time at which the broker appended the tick; ``rate`` is how
        fast business time runs; ``now_s`` is monotonic time.
        """
        if tick.as_of > at_broker + timedelta(seconds=TOLERANCE_S) * rate:
            self.parked = tick
            return "parked"
        self.parked = None
        if self.acted is not None and tick.as_of <= self.acted:
            return "old"
        if self.in_hand is not None or self._skips:
            self._skips = False
            return "waiting"
        self.in_hand, self.taken_s = tick, now_s
        return "kept"

    def restart(self) -> None:
        """Begin anew after a snapshot: drop the tick in hand, and pass over the next one.

        Their ends may have been read before the snapshot's last events were written. The writer
        reads the ends of one tick after it has sent the one before, so the second is sound.
        """
        self.in_hand = self.taken_s = None
        self._skips = True

    def passed(self, live: Reach, backfill: Reach) -> Tick | None:
        """Return the tick in hand if both lanes have reached its ends."""
        tick = self.in_hand
        if tick is None or not live.passed(tick.live_end) or not backfill.passed(tick.backfill_end):
            return None
        return tick

    def done(self) -> None:
        """Note that the tick in hand has been worked off."""
        if self.in_hand is None:
            raise ValueError("no tick is in hand")
        self.acted = self.in_hand.as_of
        self.in_hand = self.taken_s = None


def business_time_of(timestamp_ms: int, anchor: Anchor) -> datetime:
    """Return the business time of a broker's timestamp (milliseconds since 1970)."""
    return anchor.at(EPOCH + timedelta(milliseconds=timestamp_ms))


EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
