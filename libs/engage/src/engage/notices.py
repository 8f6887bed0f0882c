"""What Debezium tells of an incremental snapshot, read strictly from its notifications."""

import json
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from common.topics import CDC_NOTIFICATIONS
from engage.broker import Broker, Offsets

INCREMENTAL = "Incremental Snapshot"
POLL_S = 0.3


@dataclass(frozen=True)
class Notice:
    """One notification of an incremental snapshot."""

    id: str
    """The id of the signal that asked for the snapshot."""
    state: str
    """STARTED, IN_PROGRESS, TABLE_SCAN_COMPLETED, COMPLETED, PAUSED, RESUMED, ABORTED."""
    more: dict[str, str]

    @property
    def rows(self) -> int | None:
        """The rows that were read, told when a table is through."""
        told = self.more.get("total_rows_scanned", "")
        return int(told) if told.isdigit() else None

    @property
    def status(self) -> str:
        """How a table ended, told when it is through: SUCCEEDED, or why not."""
        return self.more.get("status", "")


def parse(raw: bytes | None) -> Notice | None:
    """Return the notice, or None when the record is about something else."""
    try:
        told: Any = json.loads(raw or b"null")
    except ValueError:
        return None
    if not isinstance(told, dict) or told.get("aggregate_type") != INCREMENTAL:
        return None
    more = told.get("additional_data") or {}
    return Notice(
        str(told.get("id")),
        str(told.get("type")),
        {str(name): str(value) for name, value in more.items()},
    )


class Notices:
    """Hears the notifications from now on."""

    def __init__(self, broker: Broker) -> None:
        """Take note of where the topic ends now; raises Transient."""
        self._broker = broker
        self._at: Offsets = broker.ends([CDC_NOTIFICATIONS.name])
        self._heard: deque[Notice] = deque()

    def next(self, seconds: float) -> Notice | None:
        """Return the next notice, or None when none comes within so many seconds.

        Raises Transient; nothing is lost by it: the next call reads the same records again.
        """
        until = time.monotonic() + seconds
        while not self._heard:
            ends = self._broker.ends([CDC_NOTIFICATIONS.name])
            told = [parse(message.value()) for message in self._broker.read(self._at, ends)]
            self._at = ends
            self._heard.extend(notice for notice in told if notice is not None)
            if not self._heard:
                if time.monotonic() > until:
                    return None
                time.sleep(POLL_S)
        return self._heard.popleft()
