"""The shop's days: which calendar day a moment falls on, remembered by quarters of an hour.

Converting a moment into a time zone takes longer than merging an order, and orders share their
hours. A quarter whose first and last instant fall on one day lies in it as a whole, whatever the
zone's offset.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from common.clock import day_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
LAST_INSTANT = QUARTER - timedelta(microseconds=1)
QUARTERS_A_DAY = 96
QUARTER_SECONDS = 900
QUARTERS_KEPT = 1 << 16
"""Nearly two years of quarters: some 10 MB."""
EDGE = timedelta(days=2)
NEVER = -(10**9)
"""Stands for a quarter that a midnight divides: no day of a datetime is that early."""


class Calendar:
    """The calendar of one time zone."""

    def __init__(self, zone: tzinfo) -> None:
        """Begin with nothing remembered."""
        self._zone = zone
        self._day_in: dict[int, int] = {}

    def day(self, moment: datetime) -> int:
        """Return the day of an aware moment, in days since 1970-01-01; as ``clock.day_of``."""
        since = moment - EPOCH
        quarter = since.days * QUARTERS_A_DAY + since.seconds // QUARTER_SECONDS
        day = self._day_in.get(quarter)
        if day is None:
            day = self._learn(quarter)
        return day_of(moment, self._zone) if day == NEVER else day

    def _learn(self, quarter: int) -> int:
        try:
            begin = EPOCH + quarter * QUARTER
            # At either end of what a datetime holds, ``day_of`` has a rule of its own.
            _ = begin - EDGE, begin + EDGE
        except OverflowError:
            return NEVER
        day = day_of(begin, self._zone)
        if day_of(begin + LAST_INSTANT, self._zone) != day:
            day = NEVER
        if len(self._day_in) >= QUARTERS_KEPT:
            self._day_in.clear()
        self._day_in[quarter] = day
        return day


@lru_cache(maxsize=16)
def calendar_of(zone: tzinfo) -> Calendar:
    """Return the one calendar of a time zone."""
    return Calendar(zone)
