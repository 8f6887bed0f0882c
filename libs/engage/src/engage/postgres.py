"""Postgres as the role ``engage``: what is captured, and nothing personal. Blocking, one caller."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import asyncpg

from common.errors import Misconfigured, Transient
from engage.frame import BadInput

CONNECT_LIMIT_S = 10.0
STATEMENT_LIMIT_S = 60.0
READING_LIMIT = "SET LOCAL statement_timeout = '30s'"
"""Below ours: Postgres itself says then that a foreign statement takes too long."""

UNREACHABLE: tuple[type[Exception], ...] = (OSError, asyncpg.PostgresConnectionError)

T = TypeVar("T")


class Database:
    """One connection. Errors: Transient; Misconfigured where Postgres is not as we know it."""

    def __init__(self, runner: asyncio.Runner, connection: "asyncpg.Connection[Any]") -> None:
        """Use ``connect``."""
        self._runner = runner
        self._connection = connection

    def rows(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """Return the rows of a query."""
        return self._ours(self._connection.fetch(sql, *values))

    def row(self, sql: str, *values: object) -> asyncpg.Record | None:
        """Return the first row of a query."""
        return self._ours(self._connection.fetchrow(sql, *values))

    def value(self, sql: str, *values: object) -> Any:
        """Return the first column of the first row."""
        return self._ours(self._connection.fetchval(sql, *values))

    def reading(self, sql: str) -> Any:
        """Return the first column of the first row, of a statement that can change nothing.

        It may be somebody else's: what Postgres says against it passes as asyncpg raises it. Raises
        BadInput when it asks for parameters, which there are none of; Transient.
        """
        try:
            return self._run(self._read_only(sql))
        except asyncpg.InterfaceError as error:
            raise BadInput(f"the condition cannot be asked: {error.args[0]}") from None

    async def _read_only(self, sql: str) -> Any:
        async with self._connection.transaction(readonly=True):
            await self._connection.execute(READING_LIMIT)
            return await self._connection.fetchval(sql)

    def _ours(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._run(work)
        except (asyncpg.SyntaxOrAccessError, asyncpg.InvalidCatalogNameError) as error:
            raise Misconfigured(
                f"Postgres is not migrated for this version, or the role is not engage: {error}"
            ) from error
        except asyncpg.PostgresError as error:
            raise Transient(f"Postgres refuses: {type(error).__name__}") from error

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._runner.run(work)
        except UNREACHABLE as error:
            raise Transient(f"Postgres does not answer: {type(error).__name__}") from error
        except asyncpg.InterfaceError as error:
            # On a live connection it is about what we asked, as with a wrong parameter.
            if not self._connection.is_closed():
                raise
            raise Transient(f"Postgres does not answer: {type(error).__name__}") from error


@contextmanager
def connect(url: str) -> Iterator[Database]:
    """Open a connection for a while; raises Misconfigured when Postgres refuses or is not there.

    Must not be called where an event loop runs: operations have a thread of their own.
    """
    with asyncio.Runner() as runner:
        try:
            connection = runner.run(
                asyncpg.connect(
                    url,
                    timeout=CONNECT_LIMIT_S,
                    command_timeout=STATEMENT_LIMIT_S,
                    server_settings={"application_name": "engage"},
                )
            )
        except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            # The text may repeat the URL, which holds a password.
            raise Misconfigured(
                f"Postgres cannot be used as ENGAGE_DATABASE_URL says: {type(error).__name__}"
            ) from error
        try:
            yield Database(runner, connection)
        finally:
            runner.run(connection.close(timeout=CONNECT_LIMIT_S))
