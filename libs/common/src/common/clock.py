"""Two clocks: business time, which a demo may run fast, and the wall clock for everything else.

Scoring, caps and quiet hours ask the business clock. Leases, deadlines, budgets and Kafka's
timestamps use the wall or monotonic clock directly.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self

from common.errors import Misconfigured

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Anchor:
    """Business time was ``business`` at wall time ``wall`` and runs ``rate`` times as fast."""

    wall: datetime
    business: datetime
    rate: float

    def at(self, wall: datetime) -> datetime:
        """Return the business time at a wall time."""
        return self.business + (wall - self.wall) * self.rate

    def dumps(self) -> str:
        """Return the anchor as the JSON that ``loads`` reads."""
        return json.dumps(
            {
                "wall": self.wall.isoformat(),
                "business": self.business.isoformat(),
                "rate": self.rate,
            }
        )

    @classmethod
    def loads(cls, text: str) -> Self:
        """Read an anchor; raises Misconfigured when it is none."""
        try:
            raw = json.loads(text)
            anchor = cls(
                datetime.fromisoformat(raw["wall"]).astimezone(UTC),
                datetime.fromisoformat(raw["business"]).astimezone(UTC),
                float(raw["rate"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise Misconfigured(f"the clock file holds no anchor: {error!r}") from None
        if not 0 <= anchor.rate <= 10_000_000:  # noqa: PLR2004
            raise Misconfigured(f"the clock's rate must lie in 0..1e7, not {anchor.rate}")
        return anchor


REAL_TIME = Anchor(datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC), 1.0)


class BusinessClock:
    """Business time for one process. All processes share the anchor, hence the time.

    Without a file business time is wall time. With one, the file is read again whenever it is
    replaced, so a demo or a test can speed the whole system up while it runs.
    """

    def __init__(self, file: Path | None = None) -> None:
        """Read the anchor from ``file``, or run in real time; raises Misconfigured."""
        self._file = file
        self._seen: tuple[int, int] | None = None
        self._anchor = REAL_TIME
        if file is not None and not file.is_file():
            raise Misconfigured(f"the clock file {file} does not exist")
        self.anchor()

    def anchor(self) -> Anchor:
        """Return the anchor in force."""
        if self._file is not None:
            stat = os.stat(self._file)  # noqa: PTH116 - called per record; Path.stat costs double
            seen = (stat.st_mtime_ns, stat.st_ino)
            if seen != self._seen:
                self._anchor = Anchor.loads(self._file.read_text())
                self._seen = seen
        return self._anchor

    def now(self) -> datetime:
        """Return the business time now, in UTC."""
        return self.anchor().at(datetime.now(UTC))

    def at(self, wall: datetime) -> datetime:
        """Return the business time at a wall time."""
        return self.anchor().at(wall)


def write_anchor(file: Path, anchor: Anchor) -> None:
    """Replace the anchor in ``file`` at once, so that no reader sees half of it."""
    draft = file.with_suffix(".new")
    draft.write_text(anchor.dumps())
    draft.replace(file)


def day_of(moment: datetime, zone: tzinfo) -> int:
    """Return the calendar day of a moment in a time zone, as days since 1970-01-01."""
    try:
        return number_of(moment.astimezone(zone).date())
    except OverflowError:  # the first or last day that a datetime can hold, in another zone
        return number_of(moment.date())


def number_of(day: date) -> int:
    """Return the days since 1970-01-01 of a calendar day: the other way round than ``date_of``."""
    return (day - EPOCH).days


def date_of(day: int) -> date:
    """Return the calendar date of a day number."""
    return EPOCH + timedelta(days=day)
