"""Hot reads: one prepared statement a request, on connections of their own that write nothing."""

from collections.abc import Sequence
from typing import Any

import asyncpg
from pydantic import SecretStr

from client_api.database import CONNECT_TIMEOUT_S, POOL_WAIT_S, STATEMENT_TIMEOUT_S
from common.statements import connection_class

POOL_SIZE = 10
SEARCHES_MAX = 4
SETTINGS = {
    "application_name": "client-api reads",
    "default_transaction_read_only": "on",
    # To compile a statement that takes a millisecond takes tens of them.
    "jit": "off",
}

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    ConnectionError,
)
"""InternalClientError is how asyncpg takes a connection that is lost just as it is being used."""

Row = asyncpg.Record


class Reads:
    """Runs statements outside of transactions: each sees one moment, and there is one round trip.

    Lists are read along an index whatever the values are, so their plan is made once and kept. How
    to search for a name depends on how many bear it, so a search is planned for its own values.
    """

    def __init__(self, url: SecretStr) -> None:
        """Plan to read from a database; nothing connects before it must."""
        self._url = url
        self._pools: dict[bool, asyncpg.Pool[asyncpg.Record]] = {}
        """By whether they are for searches; none before the beginning."""

    async def begin(self) -> None:
        """Make the pools, in the event loop that will use them."""
        planned = {"plan_cache_mode": "force_custom_plan"}
        self._pools = {
            False: await _pool(self._url, POOL_SIZE, {}),
            True: await _pool(self._url, SEARCHES_MAX, planned),
        }

    async def stop(self) -> None:
        """Close all connections, also those in use."""
        for pool in self._pools.values():
            pool.terminate()

    def in_use(self) -> int:
        """Return how many connections are in use, of all that there may be; none at first."""
        return sum(pool.get_size() - pool.get_idle_size() for pool in self._pools.values())

    async def rows(
        self, statement: str, values: Sequence[Any], *, search: bool = False
    ) -> list[Row]:
        """Return the rows of a statement; raises one of ``DATABASE_ERRORS``.

        A connection that was lost since it was used last is replaced, once: nothing was written.
        """
        pool = self._pools[search]
        try:
            return await _fetch(pool, statement, values)
        except LOST:
            await pool.expire_connections()
            return await _fetch(pool, statement, values)


class Values:
    """The values of a statement under construction; each is named by its place."""

    def __init__(self) -> None:
        """Begin with none."""
        self.all: list[Any] = []

    def place(self, value: Any) -> str:
        """Take a value; return its name in the statement."""
        self.all.append(value)
        return f"${len(self.all)}"


async def _fetch(
    pool: "asyncpg.Pool[asyncpg.Record]", statement: str, values: Sequence[Any]
) -> list[Row]:
    async with pool.acquire(timeout=POOL_WAIT_S) as connection:
        return await connection.fetch(statement, *values)


def _pool(url: SecretStr, size: int, settings: dict[str, str]) -> "asyncpg.Pool[asyncpg.Record]":
    return asyncpg.create_pool(
        url.get_secret_value(),
        min_size=0,
        max_size=size,
        connection_class=connection_class(),
        reset=_as_it_is,
        # Statements are few, and they stay the same.
        max_cached_statement_lifetime=0,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=STATEMENT_TIMEOUT_S,
        server_settings=SETTINGS | settings,
    )


async def _as_it_is(_: object) -> None:
    """Do not reset a connection that is given back: statements that only read leave nothing."""
