"""How often a caller may ask, and how many event streams it may hold open, in this process.

Counted in memory: each replica of the API counts for itself.
"""

import ipaddress
import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from client_api.auth.trouble import TooMany

ADDRESSES_MAX = 10_000
"""Addresses that are counted at a time; beyond, the one counted longest is forgotten.

So nobody is refused for what others did, and who has that many addresses was not held up anyway.
"""
UNKNOWN = "unknown"
"""What callers without an address are counted under."""


class Rates:
    """Requests per minute: of each subject; of each address, to sign in and with a bad token."""

    def __init__(self, per_subject: int, per_address: int) -> None:
        """Both are requests per minute."""
        self._per_subject = RateLimitItemPerMinute(per_subject)
        self._by_subject = SlidingWindowCounterRateLimiter(MemoryStorage())
        # Apart, so that whoever guesses tokens does not keep its neighbours from signing in.
        self._failed = _Addresses(per_address)
        self._signing_in = _Addresses(per_address)

    async def known(self, subject: str) -> None:
        """Count a request of a verified caller; raises TooMany."""
        await _count(self._by_subject, self._per_subject, subject)

    async def failed(self, address: str | None) -> None:
        """Count a request without a valid token; raises TooMany."""
        await self._failed.count(address)

    async def signing_in(self, address: str | None) -> None:
        """Count a question of where to sign in; raises TooMany."""
        await self._signing_in.count(address)


class _Addresses:
    """Requests per minute of each address."""

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._storage = MemoryStorage()
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)

    async def count(self, address: str | None) -> None:
        await _count(self._limiter, self._limit, _place(address))
        while len(self._storage.expirations) > ADDRESSES_MAX:
            await self._storage.clear(next(iter(self._storage.expirations)))


async def _count(limiter: SlidingWindowCounterRateLimiter, limit: RateLimitItem, who: str) -> None:
    if await limiter.hit(limit, who):
        return
    stats = await limiter.get_window_stats(limit, who)
    wait = math.ceil(stats.reset_time - time.time())
    raise TooMany(f"at most {limit.amount} requests a minute are taken", wait)


def _place(address: str | None) -> str:
    """Return what an address is counted under: whoever has one of IPv6 has 2^64 of them."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return UNKNOWN
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


class Streams:
    """Open event streams by subject."""

    RETRY_S = 5

    def __init__(self, per_subject: int) -> None:
        """Allow each subject so many at a time."""
        self._most = per_subject
        self._open: Counter[str] = Counter()

    @contextmanager
    def one(self, subject: str) -> Iterator[None]:
        """Hold a stream open; raises TooMany."""
        if self._open[subject] >= self._most:
            raise TooMany(f"at most {self._most} event streams may be open", self.RETRY_S)
        self._open[subject] += 1
        try:
            yield
        finally:
            self._open[subject] -= 1
            if not self._open[subject]:
                del self._open[subject]
