"""Chunks of new rows checked as if they went in: the same refusals, and nothing is written."""

import sqlite3
from collections.abc import Sequence
from typing import Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.store.bulk import Numbered, Refusal, taken, unknown_client, without_repeats

KNOWN_CLIENTS = "SELECT id FROM clients WHERE id = ANY(CAST(:ids AS bigint[]))"
KNOWN_ORDERS = "SELECT id FROM orders WHERE id = ANY(CAST(:ids AS bigint[]))"


class SeenIds:
    """Ids that earlier chunks would have taken, however many: in a file without a name."""

    def __init__(self) -> None:
        """Begin with none; the file is made with the first id."""
        self._file: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def among(self, ids: Sequence[int]) -> set[int]:
        """Return those of the ids that were added before."""
        if self._file is None:
            return set()
        ask = "SELECT 1 FROM seen WHERE id = ?"
        return {i for i in ids if self._file.execute(ask, (i,)).fetchone()}

    def add(self, ids: Sequence[int]) -> None:
        """Add ids."""
        if self._file is None:
            # An empty name is a temporary file of SQLite's own, cached in bounded memory.
            self._file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
            self._file.execute("CREATE TABLE seen (id INTEGER PRIMARY KEY)")
        self._file.execute("BEGIN")
        self._file.executemany("INSERT OR IGNORE INTO seen VALUES (?)", [(i,) for i in ids])
        self._file.execute("COMMIT")


async def check_orders(
    db: AsyncConnection, chunk: Sequence[Numbered], seen: SeenIds
) -> list[Refusal]:
    """Return the refusals that ``insert_orders`` would return."""
    rows, refused = without_repeats(chunk)
    wanted = sorted({item.row.client_id for item in rows})
    known = set((await db.execute(text(KNOWN_CLIENTS), {"ids": wanted})).scalars())
    refused += [unknown_client(item) for item in rows if item.row.client_id not in known]
    rows = [item for item in rows if item.row.client_id in known]
    return refused + await _check(db, "an order", KNOWN_ORDERS, rows, seen)


async def check_clients(
    db: AsyncConnection, chunk: Sequence[Numbered], seen: SeenIds
) -> list[Refusal]:
    """Return the refusals that ``insert_clients`` would return."""
    rows, refused = without_repeats(chunk)
    return refused + await _check(db, "a client", KNOWN_CLIENTS, rows, seen)


async def _check(
    db: AsyncConnection, what: str, statement: str, rows: list[Numbered], seen: SeenIds
) -> list[Refusal]:
    given = [item.row.id for item in rows if item.row.id is not None]
    if not given:
        return []
    there = set((await db.execute(text(statement), {"ids": given})).scalars())
    there |= seen.among(given)
    seen.add([i for i in given if i not in there])
    return [taken(item, what) for item in rows if item.row.id in there]
