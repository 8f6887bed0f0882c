"""Connections to Postgres whose statements are spans, for those who trace.

SQLAlchemy's statements pass by as well: it prepares each one on such a connection. A span has a
statement's text, in which there are no values, and never its values.
"""

import re
import ssl
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import asyncpg
from opentelemetry import trace

from common import tracing
from common.errors import Misconfigured, Unreachable

if TYPE_CHECKING:
    Base = asyncpg.Connection[asyncpg.Record]
else:
    Base = asyncpg.Connection

TEXT_MAX = 2_000
DESCRIBED_MAX = 512
"""Statements whose description is kept; there are a few hundred."""
VERB = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE|BEGIN|COMMIT|ROLLBACK|SET|LISTEN)\b", re.IGNORECASE
)
TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+([a-z_]+)\b", re.IGNORECASE)


AWAY = ("08", "53300", "57P")
"""SQLSTATEs of a server that stops, starts or has no room: no connection, too many of them,
shutdown or not ready yet."""


def refusal(what: str, error: Exception) -> Misconfigured:
    """Return what it means at start that Postgres could not be used, without the error's text.

    Unreachable when nobody answers, or who answers is starting, stopping or cut off; a certificate
    that is not trusted is an answer.
    """
    state = str(getattr(error, "sqlstate", None) or "")
    cut = isinstance(error, OSError | asyncpg.InterfaceError | asyncpg.InternalClientError)
    away = (cut and not isinstance(error, ssl.SSLError)) or state.startswith(AWAY)
    kind = Unreachable if away else Misconfigured
    return kind(f"{what} cannot be used: {type(error).__name__}")


def connection_class() -> type[Base]:
    """Return the class of connections to make: asyncpg's own, unless spans are recorded."""
    return Spanning if tracing.recording() else asyncpg.Connection


class Spanning(Base):
    """A connection whose statements are spans of whatever goes on."""

    async def execute(self, query: str, *args: Any, **how: Any) -> Any:
        """Run a statement, or several without values."""
        with _span(query):
            return await super().execute(query, *args, **how)

    async def executemany(self, command: str, args: Iterable[Any], **how: Any) -> Any:
        """Run a statement for each of some values."""
        with _span(command):
            return await super().executemany(command, args, **how)

    async def fetch(self, query: str, *args: Any, **how: Any) -> Any:
        """Return the rows of a statement."""
        with _span(query):
            return await super().fetch(query, *args, **how)

    async def fetchrow(self, query: str, *args: Any, **how: Any) -> Any:
        """Return the first row of a statement."""
        with _span(query):
            return await super().fetchrow(query, *args, **how)

    async def fetchval(self, query: str, *args: Any, **how: Any) -> Any:
        """Return one value of the first row of a statement."""
        with _span(query):
            return await super().fetchval(query, *args, **how)

    async def prepare(self, query: str, **how: Any) -> Any:
        """Prepare a statement; each time it is run is a span."""
        return Prepared(await super().prepare(query, **how), query)


class Prepared:
    """A prepared statement; what is no run of it is the statement's own."""

    def __init__(self, statement: Any, query: str) -> None:
        """Stand before a statement."""
        self._statement = statement
        self._query = query

    def __getattr__(self, name: str) -> Any:
        """Return what the statement has."""
        return getattr(self._statement, name)

    async def fetch(self, *args: Any, **how: Any) -> Any:
        """Return the rows."""
        with _span(self._query):
            return await self._statement.fetch(*args, **how)

    async def executemany(self, args: Iterable[Any], **how: Any) -> Any:
        """Run it for each of some values."""
        with _span(self._query):
            return await self._statement.executemany(args, **how)


def _span(query: str) -> AbstractContextManager[Any]:
    """Return a span around a statement; what nobody asked for, as a pool's upkeep, has none."""
    if not trace.get_current_span().is_recording():
        return nullcontext()
    name, attributes = _described(query)
    return tracing.within(name, kind=tracing.SpanKind.CLIENT, attributes=attributes)


@lru_cache(maxsize=DESCRIBED_MAX)
def _described(query: str) -> tuple[str, dict[str, str]]:
    """Return a short name for a statement, as in ``UPDATE orders``, and what is told of it."""
    verb, table = VERB.search(query), TABLE.search(query)
    words = [verb[1].upper() if verb else "SQL", *([table[1]] if table else [])]
    name = " ".join(words)
    return name, {
        "db.system.name": "postgresql",
        "db.query.summary": name,
        "db.query.text": " ".join(query.split())[:TEXT_MAX],
    }
