"""Every SQL statement about orders."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.database import FOREIGN_KEY_VIOLATION, UNIQUE_VIOLATION, sqlstate_of
from client_api.problems import Conflict, NotFound
from client_api.shapes.requests import OrderIn
from client_api.shapes.responses import OrderRow
from client_api.store.clients import check_version, reserve_ids
from client_api.store.reads import Reads, Values

COLUMNS = (
    "id, client_id, ordered_at, amount, currency, status, category, created_at, updated_at, version"
)
LISTED = COLUMNS.replace("amount", "amount::text")
"""Money travels as a decimal string."""
WRITABLE = ("client_id", "ordered_at", "amount", "currency", "status", "category")
MOMENT = "CAST(CAST(:ordered_at AS text) AS timestamptz)"
"""As text, because asyncpg takes the first and last moment of Python's calendar for infinity."""
TOLD = "ordered_at >= '0001-01-01Z' AND ordered_at < '10000-01-01Z'"
"""The years that a document and an event can name. An order of another year came past this API, is
a dead letter of the relay's, and is in no score."""
TOUCH = f"UPDATE orders SET id = id WHERE id = ANY(CAST(:ids AS bigint[])) RETURNING {COLUMNS}"
"""For the same reason as that of clients."""


class Defaults(NamedTuple):
    """What an order gets where it says nothing of its own."""

    ordered_at: datetime
    """Business time."""
    currency: str


async def read(db: AsyncConnection, order_id: int) -> OrderRow:
    """Return one order; raises NotFound, also for one that no document can date."""
    statement = text(f"SELECT {COLUMNS} FROM orders WHERE id = :id AND {TOLD}")
    row = (await db.execute(statement, {"id": order_id})).mappings().first()
    if row is None:
        raise NotFound(f"there is no order {order_id}")
    return OrderRow.model_validate(dict(row))


async def create(db: AsyncConnection, order: OrderIn, defaults: Defaults) -> OrderRow:
    """Insert one order, with ``defaults`` where it says nothing of its own.

    Raises NotFound when there is no such client, Conflict when the order's id is taken.
    """
    values = order.model_dump()
    values["ordered_at"] = (order.ordered_at or defaults.ordered_at).isoformat()
    values["currency"] = order.currency or defaults.currency
    known = None
    if order.id is not None:
        known = await reserve_ids(db, "orders", order.id)
    columns = WRITABLE if order.id is None else ("id", *WRITABLE)
    statement = (
        f"INSERT INTO orders ({', '.join(columns)}) "
        f"VALUES ({', '.join(_value(name) for name in columns)}) RETURNING {COLUMNS}"
    )
    try:
        row = (await db.execute(text(statement), values)).mappings().one()
    except IntegrityError as error:
        raise _meaning(error, order.id, order.client_id) from None
    if known is not None and row["id"] <= known:
        row = (await db.execute(text(TOUCH), {"ids": [row["id"]]})).mappings().one()
    return OrderRow.model_validate(dict(row))


async def update(
    db: AsyncConnection, order_id: int, changes: dict[str, Any], versions: Sequence[int] | None
) -> OrderRow:
    """Change some fields; raises NotFound, or VersionMismatch when none of ``versions`` is met."""
    if changes:
        assignments = ", ".join(f"{name} = {_value(name)}" for name in WRITABLE if name in changes)
        met = "" if versions is None else "AND version = ANY(CAST(:versions AS bigint[]))"
        # A date that no document can tell is mended by a new one alone.
        dated = "" if "ordered_at" in changes else f"AND {TOLD}"
        statement = (
            f"UPDATE orders SET {assignments} WHERE id = :id {met} {dated} RETURNING {COLUMNS}"
        )
        values = {**changes, "id": order_id, "versions": versions}
        if "ordered_at" in changes:
            values["ordered_at"] = changes["ordered_at"].isoformat()
        try:
            row = (await db.execute(text(statement), values)).mappings().first()
        except IntegrityError as error:
            raise _meaning(error, order_id, changes.get("client_id")) from None
        if row is not None:
            return OrderRow.model_validate(dict(row))
    found = await read(db, order_id)
    check_version(found.version, versions)
    return found


async def delete(db: AsyncConnection, order_id: int, versions: Sequence[int] | None = None) -> int:
    """Delete one order and return its last version; raises NotFound, VersionMismatch."""
    statement = text("SELECT version FROM orders WHERE id = :id FOR UPDATE")
    found = (await db.execute(statement, {"id": order_id})).first()
    if found is None:
        raise NotFound(f"there is no order {order_id}")
    check_version(found.version, versions)
    await db.execute(text("DELETE FROM orders WHERE id = :id"), {"id": order_id})
    return int(found.version)


async def newest(
    reads: Reads,
    *,
    client_id: int | None,
    after: tuple[datetime, int] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Return the fields of the next ``limit`` orders behind a time and id, as in OrderRow.

    The newest come first.
    """
    where = [TOLD]
    values = Values()
    if client_id is not None:
        where.append(f"client_id = {values.place(client_id)}")
    if after is not None:
        moment, order = values.place(after[0].isoformat()), values.place(after[1])
        where.append(f"(ordered_at, id) < ({moment}::text::timestamptz, {order})")
    statement = f"""
        SELECT {LISTED} FROM orders WHERE {" AND ".join(where)}
        ORDER BY ordered_at DESC, id DESC LIMIT {limit:d}
    """
    return [dict(row.items()) for row in await reads.rows(statement, values.all)]


def _value(column: str) -> str:
    return MOMENT if column == "ordered_at" else f":{column}"


def _meaning(error: IntegrityError, order_id: int | None, client_id: int | None) -> Exception:
    state = sqlstate_of(error)
    if state == UNIQUE_VIOLATION:
        return Conflict(f"there is an order {order_id} already")
    if state == FOREIGN_KEY_VIOLATION:
        return NotFound(f"there is no client {client_id}")
    return error
