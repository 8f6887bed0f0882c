"""A backfill's condition: checked as text (pure), then by Postgres itself, before anything is sent.

Debezium puts the condition between its own ones and runs it in its own name, which may read more
and change more than an operator's. So the language is closed: columns, literals and comparisons. No
function and no subquery can be named, and nothing can end Debezium's own statement.
"""

import re

import asyncpg

from engage.frame import BadInput
from engage.postgres import Database

TABLES = ("clients", "orders")
"""What can be backfilled. A policy is published anew instead."""
LENGTH_MAX = 1_800
WORDS = frozenset(
    "id client_id ordered_at amount currency status version and or not in between is null true"
    " false like date timestamp timestamptz interval current_date".split()
)
"""The captured columns, and what joins and compares them."""
TOKEN = re.compile(
    r"""
    (?P<space>\s+)
    |(?P<text>'(?:[^'\\]|'')*')
    |(?P<number>\d+(?:\.\d+)?(?![\w.]))
    |(?P<word>[A-Za-z_]\w*)
    |(?P<sign>::|<>|!=|<=|>=|-(?!-)|/(?!\*)|[=<>(),+*%])
    """,
    re.VERBOSE | re.ASCII,
)
SHOWN = 20


def checked(where: str) -> str:
    """Return the condition in brackets, so that an OR in it stays its own.

    Raises BadInput when it is empty, too long, not balanced, or says anything but captured columns,
    literals and comparisons.
    """
    text = where.strip()
    if not text:
        raise BadInput("--where is empty")
    if len(text) > LENGTH_MAX or not text.isprintable():
        raise BadInput(f"--where takes up to {LENGTH_MAX} characters, on one line")
    at = depth = 0
    while at < len(text):
        token = TOKEN.match(text, at)
        if token is None or (token["word"] and token["word"].lower() not in WORDS):
            shown = text[at : at + SHOWN]
            raise BadInput(f"--where: {shown!r} may not stand in a condition; see --help")
        depth += (token[0] == "(") - (token[0] == ")")
        if depth < 0:
            break
        at = token.end()
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
