"""The Kafka client's own log: bounded, for it repeats itself many times a second in an outage."""

import logging
import time
from collections.abc import Callable

EVERY_S = 10.0
HEAD = 24
"""Characters that tell one kind of message from another: its facility and the client's name."""
KINDS_MAX = 1000


class Seldom(logging.Filter):
    """Lets each kind of message through at most once in ``EVERY_S`` seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start having let nothing through."""
        super().__init__()
        self._clock = clock
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether this message may pass."""
        kind = record.getMessage()[:HEAD]
        now = self._clock()
        if now - self._last.get(kind, -EVERY_S) < EVERY_S:
            return False
        if len(self._last) >= KINDS_MAX:
            self._last.clear()
        self._last[kind] = now
        return True
