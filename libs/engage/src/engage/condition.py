"""A backfill's condition: checked as text (pure), then by Postgres itself, before anything is sent.

Debezium puts the condition between its own ones, so it must be one expression and nothing more.
"""

import re

import asyncpg

from engage.frame import BadInput
from engage.postgres import Database

TABLES = ("clients", "orders")
"""What can be backfilled. A policy is published anew instead."""
LENGTH_MAX = 2_000
TOKEN = re.compile(
    r"""
    (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*")
    |(?P<refused>;|--|/\*|\\|\$[A-Za-z_0-9]*\$|['"])
    |(?P<open>\()
    |(?P<close>\))
    """,
    re.VERBOSE,
)


def checked(where: str) -> str:
    """Return the condition in brackets, so that an OR in it stays its own.

    Raises BadInput when it is empty, too long, not balanced, or holds a comment or a second
    statement.
    """
    text = " ".join(where.split())
    if not text:
        raise BadInput("--where is empty")
    if len(text) > LENGTH_MAX:
        raise BadInput(f"--where is longer than {LENGTH_MAX} characters")
    depth = 0
    for token in TOKEN.finditer(text):
        if token["refused"]:
            raise BadInput(f"--where: {token['refused']} may not stand in a condition")
        depth += bool(token["open"]) - bool(token["close"])
        if depth < 0:
            break
    if depth:
        raise BadInput("--where: its brackets do not match")
    return f"({text})"


def table_of(name: str) -> str:
    """Return the table's name; raises BadInput when it cannot be backfilled."""
    table = name.removeprefix("public.")
    if table not in TABLES:
        raise BadInput(f"--table: {name[:80]!r} is not captured; there are {', '.join(TABLES)}")
    return table


def count(database: Database, table: str, where: str | None) -> int:
    """Return how many rows match. Raises BadInput when Postgres refuses the condition, Transient.

    It runs as the role ``engage``, read only: it may name captured columns, and changes nothing.
    """
    sql = f"SELECT count(*) FROM {table}"  # noqa: S608 - the table is one of ours
    if where is not None:
        sql += f" WHERE {where}"
    try:
        found: int = database.reading(sql)
    except asyncpg.InsufficientPrivilegeError:
        raise BadInput(
            f"--where: only captured columns of {table} may be named, nothing personal"
        ) from None
    except asyncpg.QueryCanceledError:
        raise BadInput("--where: counting its rows takes too long") from None
    except (asyncpg.PostgresSyntaxError, asyncpg.PostgresError) as error:
        raise BadInput(f"--where: {error.args[0] if error.args else error}") from None
    return found
