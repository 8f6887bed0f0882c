"""Errors of Postgres that pass are tried again, so many times; then the process ends."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
import structlog

from common.errors import Transient

ATTEMPTS = 9
FIRST_PAUSE_S = 0.1
PAUSE_MAX_S = 5.0
"""Together up to about 20 s: a restart of Postgres, not an outage."""

# InternalClientError is how asyncpg takes a connection that is lost just as it is being used.
PASSING = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
)

log = structlog.get_logger("client_api.projector")

T = TypeVar("T")


class Retry:
    """Tries again what may pass, and knows whether it is just waiting for that."""

    def __init__(self, failed: Callable[[], None]) -> None:
        """Start well; ``failed`` is told of each failure."""
        self._failed = failed
        self._problem: str | None = None

    def check(self) -> str | None:
        """Return what is wrong with Postgres at the moment."""
        return self._problem

    async def __call__(self, what: str, action: Callable[[], Awaitable[T]]) -> T:
        """Do ``action``, again after errors that pass, with backoff and jitter.

        Raises Transient when it fails too often.
        """
        pause_s = FIRST_PAUSE_S
        attempt = 1
        while True:
            try:
                result = await action()
            except PASSING as error:
                self._problem = type(error).__name__
                self._failed()
                log.warning("postgres_failed", what=what, error=self._problem, attempt=attempt)
                if attempt == ATTEMPTS:
                    reason = f"{what} failed {ATTEMPTS} times: {self._problem}"
                    raise Transient(reason) from error
            else:
                self._problem = None
                return result
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            pause_s = min(2 * pause_s, PAUSE_MAX_S)
            attempt += 1
