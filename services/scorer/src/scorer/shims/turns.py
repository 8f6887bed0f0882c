"""Pure: which lane is read next, and how much of it: live before backfill, and nothing starves."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol

RUN_MAX = 500
"""Records in one run: a run is settled as a whole."""

IN_FLIGHT_MAX = 8_000
"""Records fetched and not yet settled; beyond it fetching waits."""

LATER_MAX = 3_000
"""Of a lane that waits for the others, while nothing else came for LIVE_QUIET_S."""

LATER_MAX_BESIDE_LIVE = 500
"""Otherwise: a live record is never farther than that from its turn."""

LATER_SHARE = 4
"""One fetch in so many takes from the lane that waits, however much the others bring."""
LATER_SHARE_RECORDS = 250

LIVE_QUIET_S = 5.0


class InFlight(Protocol):
    """What is asked of the account of records in flight."""

    @property
    def size(self) -> int: ...
    def size_of(self, topic: str) -> int: ...


class Turns:
    """The order in which lanes are looked at, and the room that each of them has."""

    def __init__(
        self,
        flight: InFlight,
        lanes: Sequence[str],
        later: Collection[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read ``lanes``, the most urgent first; those in ``later`` wait for the others."""
        self._flight = flight
        self.lanes = lanes
        self._later = later
        self._clock = clock
        self._count = 0
        self._seen_s = clock()

    def seen(self, topics: Collection[str] | None = None) -> None:
        """Note that records of these topics came; None: what there is will show in a moment."""
        if topics is None or any(topic not in self._later for topic in topics):
            self._seen_s = self._clock()

    def room(self, topic: str) -> int:
        """Return how many records of a topic may be fetched now, in all; 0 or less for none.

        Each lane has a room of its own, so that one that fills its room shuts out no other.
        """
        if topic not in self._later:
            return IN_FLIGHT_MAX - self._flight.size
        quiet = self._clock() - self._seen_s > LIVE_QUIET_S
        most = LATER_MAX if quiet else LATER_MAX_BESIDE_LIVE
        return most - self._flight.size_of(topic)

    def open(self) -> list[str]:
        """Return the lanes that have room."""
        return [topic for topic in self.lanes if self.room(topic) > 0]

    def next(self) -> Iterator[tuple[str, int]]:
        """Name the topics to look at in one fetch, with how many records they may give.

        What the caller fetches between two steps is in flight at the next. A lane that waits is
        looked at when the others gave little, and with a small share now and then in any case.
        """
        self._count += 1
        before = self._flight.size
        for topic in self.lanes:
            room = self.room(topic)
            if topic in self._later and self._flight.size - before > RUN_MAX:
                room = min(room, LATER_SHARE_RECORDS) if self._count % LATER_SHARE == 0 else 0
            if room > 0:
                yield topic, room
