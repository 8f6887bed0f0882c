"""Postgres: the engine, what its errors mean to a caller, and the locks that services agree on."""

import asyncpg
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from client_api.problems import Conflict, Invalid, Problem, Unavailable
from client_api.settings import asyncpg_url
from common.statements import connection_class

POOL_SIZE = 10
POOL_OVERFLOW = 10
POOL_WAIT_S = 5.0
"""Longer than any request should wait for its turn; then the caller is told to come back."""
CONNECT_TIMEOUT_S = 5.0
STATEMENT_TIMEOUT_S = 30.0
"""A request's statements take milliseconds; a bulk chunk may wait behind another one's locks."""

SWEEP_LOCK = 7401
"""Advisory: erasures hold it shared, a sweep's chunk alone, so no chunk revives an erased row."""
DAY_SWITCH_LOCK = 7402
"""Advisory: held by the one projector that prepares the next day."""
SCHEMA_LOCK = 7403
"""Advisory: held by the one process that migrates."""

UNIQUE_VIOLATION = "23505"
FOREIGN_KEY_VIOLATION = "23503"
CONFLICTS = {
    UNIQUE_VIOLATION: "it exists already",
    FOREIGN_KEY_VIOLATION: "it refers to something that is not there, or is still referred to",
}
UNAVAILABLE = ("08", "28", "3D", "40", "53", "55P03", "57")
"""SQLSTATEs that a caller can do nothing about but wait: no connection, no way in, no database,
deadlocks, no resources, lock timeouts, shutdown."""
CALLERS_FAULT = ("22", "23514", "23502")
"""SQLSTATEs of values that Postgres refuses."""


def make_engine(url: SecretStr, statement_limit_s: float = STATEMENT_TIMEOUT_S) -> AsyncEngine:
    """Make the engine; it connects on first use. Parameters never reach an error's text."""
    return create_async_engine(
        asyncpg_url(url),
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_WAIT_S,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "connection_class": connection_class(),
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": statement_limit_s,
            "server_settings": {"application_name": "client-api"},
        },
    )


DATABASE_ERRORS: tuple[type[Exception], ...] = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""SQLAlchemy wraps what goes wrong in a statement, but not what goes wrong in connecting, nor
asyncpg's confusion over a connection that is lost just as it is being used."""


async def ping(connection: AsyncConnection) -> None:
    """Make sure that Postgres answers; raises one of ``DATABASE_ERRORS`` when it does not."""
    await connection.execute(text("SELECT 1"))


def name_of(error: Exception) -> str:
    """Return what the driver calls an error, without its text, which may quote a row."""
    orig = getattr(error, "orig", None) or error
    return type(orig.__cause__ or orig).__name__


def sqlstate_of(error: Exception) -> str:
    """Return Postgres's five-letter code of an error, empty when it never got that far."""
    return str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")


def constraint_of(error: DBAPIError) -> str:
    """Return the name of the constraint that an error is about, empty when it is about none."""
    cause = getattr(error.orig, "__cause__", None)
    return str(getattr(cause, "constraint_name", None) or "")


def problem_of(error: Exception) -> Problem:
    """Tell what a database error means to the caller, without the values it may quote."""
    if isinstance(error, PoolTimeoutError):
        return Unavailable("all database connections are busy")
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if lost or not isinstance(error, DBAPIError | asyncpg.PostgresError):
        return Unavailable("the database does not answer")
    state = sqlstate_of(error)
    if not state or state.startswith(UNAVAILABLE):
        return Unavailable("the database is busy or does not answer")
    if state in CONFLICTS:
        return Conflict(CONFLICTS[state])
    if state.startswith(CALLERS_FAULT):
        about = constraint_of(error) if isinstance(error, DBAPIError) else ""
        return Invalid(f"the database refuses a value ({about or state})")
    return Problem("the request failed; it is logged")
