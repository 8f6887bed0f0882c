"""Chunks of new rows, one statement for all of a chunk; what cannot go in is named by its line."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.shapes.requests import ClientIn, OrderIn
from client_api.store import clients, orders


class Numbered(NamedTuple):
    """A valid row and the line that it came from."""

    line: int
    row: Any


class Refusal(NamedTuple):
    """A line that was not taken, and why."""

    line: int
    detail: str


INSERT_ORDERS = """
    INSERT INTO orders (id, client_id, ordered_at, amount, currency, status, category)
    SELECT coalesce(r.id, nextval('orders_id_seq')), r.client_id,
           CAST(r.ordered_at AS timestamptz), r.amount,
           r.currency, r.status, r.category
    FROM unnest(
        CAST(:id AS bigint[]), CAST(:client_id AS bigint[]), CAST(:ordered_at AS text[]),
        CAST(:amount AS numeric[]), CAST(:currency AS text[]), CAST(:status AS text[]),
        CAST(:category AS text[])
    ) AS r (id, client_id, ordered_at, amount, currency, status, category)
    ON CONFLICT (id) DO NOTHING
    RETURNING id
"""
INSERT_CLIENTS = """
    INSERT INTO clients (id, first_name, surname, email, phone, address, style_tags, time_zone,
                         consent, synthetic)
    SELECT coalesce(r.id, nextval('clients_id_seq')), r.first_name, r.surname, r.email, r.phone,
           r.address, ARRAY(SELECT json_array_elements_text(r.style_tags)), r.time_zone,
           r.consent, r.synthetic
    FROM unnest(
        CAST(:id AS bigint[]), CAST(:first_name AS text[]), CAST(:surname AS text[]),
        CAST(:email AS text[]), CAST(:phone AS text[]), CAST(:address AS text[]),
        CAST(:style_tags AS json[]), CAST(:time_zone AS text[]), CAST(:consent AS boolean[]),
        CAST(:synthetic AS boolean[])
    ) AS r (id, first_name, surname, email, phone, address, style_tags, time_zone, consent,
            synthetic)
    ON CONFLICT (id) DO NOTHING
    RETURNING id
"""
"""Arrays of arrays must be square in Postgres, so each client's tags travel as JSON."""

LOCK_CLIENTS = """
    SELECT id FROM clients WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR KEY SHARE
"""
"""The clients stay until the chunk is committed: no row of it can lack its client."""


class _Table(NamedTuple):
    """How the rows of one table go in."""

    name: str
    row: str
    insert: str
    touch: str


ORDERS = _Table("orders", "an order", INSERT_ORDERS, orders.TOUCH)
CLIENTS = _Table("clients", "a client", INSERT_CLIENTS, clients.TOUCH)


async def insert_orders(
    db: AsyncConnection, chunk: Sequence[Numbered], defaults: orders.Defaults
) -> list[Refusal]:
    """Insert orders, with ``defaults`` where they say nothing of their own; return the refused."""
    rows, refused = without_repeats(chunk)
    wanted = sorted({item.row.client_id for item in rows})
    known = set((await db.execute(text(LOCK_CLIENTS), {"ids": wanted})).scalars())
    refused += [unknown_client(item) for item in rows if item.row.client_id not in known]
    rows = [item for item in rows if item.row.client_id in known]
    values: dict[str, list[Any]] = {
        name: [getattr(item.row, name) for item in rows] for name in OrderIn.model_fields
    }
    dated = [moment or defaults.ordered_at for moment in values["ordered_at"]]
    values["ordered_at"] = [moment.isoformat() for moment in dated]
    values["currency"] = [currency or defaults.currency for currency in values["currency"]]
    return refused + await _insert(db, ORDERS, rows, values)


async def insert_clients(db: AsyncConnection, chunk: Sequence[Numbered]) -> list[Refusal]:
    """Insert clients; return those that were refused."""
    rows, refused = without_repeats(chunk)
    values: dict[str, list[Any]] = {
        name: [getattr(item.row, name) for item in rows] for name in ClientIn.model_fields
    }
    values["style_tags"] = [_json(tags) for tags in values["style_tags"]]
    return refused + await _insert(db, CLIENTS, rows, values)


async def _insert(
    db: AsyncConnection, table: _Table, rows: list[Numbered], values: dict[str, list[Any]]
) -> list[Refusal]:
    if not rows:
        return []
    given = [row_id for row_id in values["id"] if row_id is not None]
    known = await clients.reserve_ids(db, table.name, max(given)) if given else 0
    inserted = set((await db.execute(text(table.insert), values)).scalars())
    again = [row_id for row_id in given if row_id <= known and row_id in inserted]
    if again:
        await db.execute(text(table.touch), {"ids": again})
    return [
        taken(item, table.row)
        for item in rows
        if item.row.id is not None and item.row.id not in inserted
    ]


def unknown_client(item: Numbered) -> Refusal:
    """Refuse an order of nobody."""
    return Refusal(item.line, f"there is no client {item.row.client_id}")


def taken(item: Numbered, what: str) -> Refusal:
    """Refuse a row, ``what`` it is, whose id is taken."""
    return Refusal(item.line, f"there is {what} {item.row.id} already")


def without_repeats(chunk: Sequence[Numbered]) -> tuple[list[Numbered], list[Refusal]]:
    """Return the rows of a chunk whose id stands on no earlier line of it, and the others."""
    seen: set[int] = set()
    rows: list[Numbered] = []
    refused: list[Refusal] = []
    for item in chunk:
        if item.row.id is not None and item.row.id in seen:
            refused.append(Refusal(item.line, f"the id {item.row.id} stands on an earlier line"))
            continue
        seen.add(item.row.id)
        rows.append(item)
    return rows, refused


def _json(tags: list[str]) -> str:
    return orjson.dumps(tags).decode()
