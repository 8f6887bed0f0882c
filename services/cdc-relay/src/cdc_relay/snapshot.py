"""What Debezium's notifications say about snapshots: whether scorers may open episodes.

Form: Debezium 3.7's sink notification channel. A snapshot announces STARTED, then tables, then
COMPLETED; a restart that needs none announces SKIPPED alone. A snapshot that broke off (ABORTED)
starts anew by itself. Incremental snapshots run beside live changes and hold nothing back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import msgspec
from msgspec import Struct

from cdc_relay import wire
from cdc_relay.debezium import decode
from common.codec import encode
from common.events import SnapshotState

SNAPSHOT_KEY = b"snapshot"
INITIAL = "Initial Snapshot"


class Meaning(Enum):
    """What a notification asks of the relay."""

    BEGINS = "begins"
    OVER = "over"
    NOTHING = "nothing"


class Notification(Struct, frozen=True):
    """One notification; ``timestamp`` is wall time in milliseconds."""

    id: str
    type: str
    aggregate_type: str
    timestamp: int

    @property
    def meaning(self) -> Meaning:
        """Tell what to do about it."""
        if self.aggregate_type != INITIAL:
            return Meaning.NOTHING
        if self.type == "STARTED":
            return Meaning.BEGINS
        if self.type in {"COMPLETED", "SKIPPED"}:
            return Meaning.OVER
        return Meaning.NOTHING


_DECODER = msgspec.json.Decoder(Notification)


def beginning(cause: str, ts_ms: int) -> bytes:
    """Return a notification that a snapshot begins, as ``notification`` reads it."""
    return msgspec.json.encode(Notification(cause, "STARTED", INITIAL, ts_ms))


def notification(raw: bytes) -> Notification:
    """Read a notification; raises PoisonMessage."""
    return decode(_DECODER, raw)


def snapshot_state(*, active: bool, cause: str, ts_ms: int) -> bytes:
    """Return the event that tells scorers whether a snapshot is being read.

    ``cause`` names what said so, and makes the event's id; ``ts_ms`` is wall time.
    """
    return encode(
        SnapshotState(active=active),
        id=f"snapshot:{cause}:::snapshot.v1",
        source=wire.SOURCE,
        subject="snapshot",
        time=wire.moment(ts_ms),
    )


@dataclass(frozen=True)
class _Over:
    """A snapshot's end, told at ``offset``; passed on when all of ``ends`` are."""

    offset: int
    cause: str
    ts_ms: int
    ends: dict[tuple[str, int], int]


class SnapshotWatch:
    """Remembers a snapshot's end from its notification until it was passed on."""

    def __init__(self) -> None:
        """Start with nothing to pass on: a restart hears again what was not."""
        self._over: _Over | None = None

    def hear(
        self, told: Notification, offset: int, ends: Callable[[], dict[tuple[str, int], int]]
    ) -> bytes | None:
        """Take note of a notification; return the state to announce at once, if any.

        ``ends`` tells where the raw topics end now, and these notifications: what stands behind an
        end may be the beginning of the next snapshot, which takes it back. It is asked when a
        snapshot is over.
        """
        if told.meaning is Meaning.BEGINS:
            self._over = None
            return snapshot_state(active=True, cause=told.id, ts_ms=told.timestamp)
        if told.meaning is Meaning.OVER:
            self._over = _Over(offset, told.id, told.timestamp, ends())
        return None

    def passed(self, position: dict[tuple[str, int], int]) -> bytes | None:
        """Return the state to announce once everything the snapshot wrote was committed."""
        over = self._over
        if over is None or any(position.get(at, 0) < end for at, end in over.ends.items()):
            return None
        self._over = None
        return snapshot_state(active=False, cause=over.cause, ts_ms=over.ts_ms)

    def held_back(self, offset: int) -> int:
        """Return how far the notifications count as read: not beyond an end not passed on."""
        return offset if self._over is None else min(offset, self._over.offset)

    def forget(self) -> None:
        """Forget what was heard since the last commit; it will be heard again."""
        self._over = None
