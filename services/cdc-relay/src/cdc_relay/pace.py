"""A bound on the rate: a token bucket on the monotonic clock."""

import time
from collections.abc import Callable

BURST_S = 0.25
"""How much of a second may be written at once: small, so that no wait for tokens grows long."""


class TokenBucket:
    """Lets through ``per_s`` records per second on average, and a quarter second's worth at once.

    What was taken is paid afterwards: ``take`` never refuses, ``wait_s`` says how long to pause
    before the next. So the count written by time t never exceeds ``per_s * t + burst + one batch``.
    """

    def __init__(self, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Start full."""
        self._per_s = per_s
        self._clock = clock
        self.burst = max(1.0, per_s * BURST_S)
        self._tokens = self.burst
        self._at = clock()

    def take(self, count: int) -> None:
        """Take tokens for ``count`` records, into debt if need be."""
        self._refill()
        self._tokens -= count

    def wait_s(self) -> float:
        """Return the seconds until all debt is paid; 0 when there is none."""
        self._refill()
        return max(0.0, -self._tokens / self._per_s)

    def _refill(self) -> None:
        now = self._clock()
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self._per_s)
        self._at = now
