"""The ledger work that every contender of the scorer does: read, merge, assess, tell.

They are the scorer's own pure functions, so the contenders differ in all but the work itself.
"""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from common.clock import BusinessClock
from common.score.policy import Policy
from common.topics import SCORES
from common.wire import LaneImage, read_lane
from scorer.engine import Rules, merge, moment, reassess_many
from scorer.letters import letter
from scorer.rows import Row, dump, head_key, load

read = read_lane
key_of = head_key
Image = LaneImage


def packed(client_id: int, row: Row) -> bytes:
    """Return a row as it is stored; the ledgers of the workload are short, so it is one value."""
    (value,) = dump(client_id, row).values()
    if value is None:
        raise TypeError("a row that is kept has a value")
    return value


def unpacked(client_id: int, value: bytes | None) -> Row:
    """Return the stored row, or that of a client never seen."""
    return load(client_id, value, lambda _: None)


def clock() -> Callable[[], datetime]:
    """Return the business clock that every contender is given, by CLOCK_FILE."""
    return BusinessClock(Path(os.environ["CLOCK_FILE"])).now


class Work:
    """What a contender asks of the engine."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Use the policy that every contender is given; ``now`` tells business time."""
        self._rules = Rules(Policy(), 1)
        self._now = now

    def merge(self, row: Row, image: Image) -> bool:
        """Merge an event into its client's row; return whether it was news."""
        return merge(row, image, UTC)

    def assess(self, rows: Sequence[tuple[int, Row]]) -> list[tuple[bytes, bytes | None]]:
        """Assess changed rows, all at once; return the keys and values of their scores."""
        at, time = moment(self._now(), UTC), datetime.now(UTC)
        told = (letter(one, 0, time) for one in reassess_many(rows, at, self._rules))
        return [(one.key, one.value) for one in told if one.topic == SCORES.name]
