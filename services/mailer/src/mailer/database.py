"""The mailer's door to Postgres: the pool, what it needs there, and which errors will pass."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

import asyncpg
from pydantic import SecretStr

from common.errors import Misconfigured, Transient
from common.logs import Logger
from common.statements import connection_class, refusal

Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Source: TypeAlias = "Connection | Pool"
"""Whatever answers a query."""
T = TypeVar("T")

CONNECTIONS_MAX = 16
COMMAND_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 10.0
IDLE_LIMIT_S = 10
SESSION = {
    "application_name": "mailer",
    "idle_in_transaction_session_timeout": f"{IDLE_LIMIT_S}s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
"""A mailer that is frozen, or cut off, in a transaction holds its locks no longer than this."""
TRIES = 9
"""With pauses that double from 0.2 s up to 15 s: about a minute, enough for a restart."""

TRANSIENT = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was cut in the middle of a message
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
)
"""Errors of a server that is away for a moment, or of two transactions in each other's way."""

NEEDED = (
    "has_table_privilege('episodes', 'INSERT, UPDATE')"
    " AND has_table_privilege('emails', 'INSERT')"
    " AND has_any_column_privilege('model_calls', 'UPDATE')"
    " AND has_table_privilege('decisions', 'SELECT')"
    " AND has_table_privilege('policies', 'SELECT')"
    " AND has_table_privilege('deliveries', 'INSERT')"
    " AND has_function_privilege('lock_client(bigint)', 'EXECUTE')"
    " AND has_function_privilege('address_of(bigint)', 'EXECUTE')"
)


async def connect(url: SecretStr) -> Pool:
    """Open the pool and check that this role can do its work; raises Misconfigured."""
    try:
        pool = await asyncpg.create_pool(
            url.get_secret_value(),
            min_size=1,
            max_size=CONNECTIONS_MAX,
            connection_class=connection_class(),
            command_timeout=COMMAND_TIMEOUT_S,
            timeout=CONNECT_TIMEOUT_S,
            server_settings=SESSION,
            reset=_leave,
        )
        able = await pool.fetchval(f"SELECT {NEEDED}")
    except ValueError as error:  # its text may repeat the URL, which holds the password
        raise Misconfigured(f"DATABASE_URL cannot be used: {type(error).__name__}") from None
    except (*TRANSIENT, asyncpg.PostgresError) as error:
        raise refusal("Postgres", error) from None
    if not able:
        raise Misconfigured("Postgres cannot be used: this role lacks the mailer's privileges")
    return pool


async def _leave(_: Connection) -> None:
    """Leave a connection as it is: nothing of a session outlives our transactions.

    asyncpg has ended what was open; its own reset would cost a round trip with every use.
    """


def saying_away(log: Logger) -> Callable[[Exception], None]:
    """Return what tells ``log`` that Postgres is away: an error's type, never its text."""

    def say(error: Exception) -> None:
        log.warning("postgres is away", error=type(error).__name__)

    return say


async def persistently(
    work: Callable[[], Awaitable[T]], on_retry: Callable[[Exception], None]
) -> T:
    """Do ``work`` again while Postgres is away, a bounded number of times; raises Transient.

    ``work`` must be one transaction, or harmless to do twice.
    """
    for attempt in range(TRIES):
        try:
            return await work()
        except TRANSIENT as error:
            if isinstance(
                error, ValueError
            ):  # asyncpg's refusal of a value, also an InterfaceError
                raise
            on_retry(error)
            if attempt == TRIES - 1:
                raise Transient(f"Postgres stays away: {type(error).__name__}") from error
            await asyncio.sleep(min(15.0, 0.2 * 2**attempt) * random.uniform(0.5, 1.5))  # noqa: S311
    raise AssertionError("unreachable")
