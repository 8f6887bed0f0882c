"""The issuer's keys, kept; however many tokens name unknown ones, it is asked once an interval."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import jwt
import structlog

from client_api.auth.trouble import Refused
from client_api.problems import Unavailable
from common.errors import Transient

INTERVAL_S = 30.0
"""So long after the issuer was asked, whatever it answered, nobody asks it again."""
FRESH_S = 600.0
"""Older keys are asked for again, while they still serve."""
KEPT_S = 86_400.0
"""Keys that the issuer could not confirm for so long serve no more."""

Fetch = Callable[[], Awaitable[Mapping[str, jwt.PyJWK]]]
"""Asks the issuer for its keys by ``kid``; raises Transient."""

log = structlog.get_logger("client_api.auth")


class Keys:
    """The keys by ``kid``. Used from the event loop's thread only."""

    def __init__(
        self,
        fetch: Fetch,
        *,
        interval_s: float = INTERVAL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` counts seconds, for tests to set forward."""
        self._fetch = fetch
        self._interval_s = interval_s
        self._clock = clock
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._asked_at: float | None = None
        self._fetched_at = 0.0
        self._flight: asyncio.Task[None] | None = None
        self._trouble: str | None = "not asked yet"

    @property
    def trouble(self) -> str | None:
        """What keeps tokens from being verified, or None."""
        return None if self._usable() else f"no keys of the issuer: {self._trouble}"

    def known(self, kid: str) -> jwt.PyJWK | None:
        """Return a key if it is at hand; keys that have grown old are asked for meanwhile."""
        if not self._usable():
            return None
        if self._clock() - self._fetched_at > FRESH_S:
            self._refresh()
        return self._keys.get(kid)

    async def find(self, kid: str) -> jwt.PyJWK:
        """Return a key; raises Refused when the issuer has no such one, Unavailable without keys.

        Waits for the issuer only when that can help, and then all who wait share one request.
        """
        key = self.known(kid)
        if key is None:
            if (flight := self._refresh()) is not None:
                await asyncio.shield(flight)
            key = self.known(kid)
        if key is not None:
            return key
        if not self._usable():
            raise Unavailable("tokens cannot be verified now: the issuer gives no keys")
        raise Refused("unknown key")

    async def stop(self) -> None:
        """Break off what is under way."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.gather(self._flight, return_exceptions=True)

    def begin(self) -> None:
        """Ask for the keys ahead of the first token; does not wait."""
        self._refresh()

    def _usable(self) -> bool:
        return bool(self._keys) and self._clock() - self._fetched_at <= KEPT_S

    def _refresh(self) -> "asyncio.Task[None] | None":
        """Return the request that is under way, or a new one, or None when it is too soon."""
        if self._flight is not None and not self._flight.done():
            return self._flight
        now = self._clock()
        if self._asked_at is not None and now - self._asked_at < self._interval_s:
            return None
        self._asked_at = now
        self._flight = asyncio.create_task(self._ask(), name="issuer-keys")
        return self._flight

    async def _ask(self) -> None:
        try:
            keys = await self._fetch()
        except Transient as error:
            self._trouble = str(error)
            log.error("issuer_keys_unavailable", reason=str(error))  # noqa: TRY400 - no trace needed
            return
        self._keys = keys
        self._fetched_at = self._clock()
        self._trouble = None if keys else "its set holds none that may sign"
        log.info("issuer_keys", number=len(keys))
