"""Every SQL statement about who is never written to: by link, by people, by address."""

from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.problems import Conflict, NotFound
from client_api.shapes.requests import SuppressionIn
from client_api.shapes.responses import SuppressionRow
from client_api.store import audit

COLUMNS = "address_hash, reason, actor, created_at"
BY_LINK = "unsubscribed by the link of an email"
LINK = "unsubscribe link"
"""The actor, since nobody says who opened it."""


async def unsubscribe(db: AsyncConnection, client_id: int) -> None:
    """Withdraw a client's consent and suppress its address; the second time changes nothing.

    A client that is not there any more has nothing left to withdraw.
    """
    lock = text("SELECT consent FROM clients WHERE id = :id FOR UPDATE")
    row = (await db.execute(lock, {"id": client_id})).mappings().first()
    if row is None:
        return
    added = await db.execute(
        text("""
            INSERT INTO suppressions (address_hash, reason, actor)
            SELECT address_hash(email), :reason, :actor FROM clients
            WHERE id = :id AND email IS NOT NULL
            ON CONFLICT (address_hash) DO NOTHING RETURNING address_hash
        """),
        {"id": client_id, "reason": BY_LINK, "actor": LINK},
    )
    suppressed = added.first() is not None
    if row["consent"]:
        await db.execute(
            text("UPDATE clients SET consent = false WHERE id = :id"), {"id": client_id}
        )
    if row["consent"] or suppressed:
        detail: dict[str, object] = {"consent": row["consent"], "address": suppressed}
        await audit.add(
            db,
            actor=LINK,
            action="client.unsubscribed",
            subject=f"client/{client_id}",
            detail=detail,
        )


async def newest(
    db: AsyncConnection, *, after: tuple[datetime, int] | None, limit: int
) -> list[SuppressionRow]:
    """Return the next ``limit`` suppressions behind the first so many of a time, newest first."""
    where = "true"
    values: dict[str, object] = {"limit": limit, "seen": 0}
    if after is not None:
        where = "created_at <= CAST(:at AS timestamptz)"
        values |= {"at": after[0], "seen": after[1]}
    statement = (
        f"SELECT {COLUMNS} FROM suppressions WHERE {where} "
        "ORDER BY created_at DESC, address_hash DESC LIMIT :limit OFFSET :seen"
    )
    return [_row_of(row) for row in (await db.execute(text(statement), values)).mappings()]


async def add(db: AsyncConnection, new: SuppressionIn, actor: str) -> SuppressionRow:
    """Suppress an address; raises Conflict when it is already.

    It waits for whoever is writing to a client of that address: they lock the client, and look.
    """
    lock = text(
        "SELECT FROM clients WHERE address_hash(email) = address_hash(:address)"
        " ORDER BY id FOR UPDATE"
    )
    await db.execute(lock, {"address": new.address})
    statement = f"""
        INSERT INTO suppressions (address_hash, reason, actor)
        VALUES (address_hash(:address), :reason, :actor)
        ON CONFLICT (address_hash) DO NOTHING RETURNING {COLUMNS}
    """
    values = {**new.model_dump(), "actor": actor}
    row = (await db.execute(text(statement), values)).mappings().first()
    if row is None:
        raise Conflict("the address is suppressed already")
    return _row_of(row)


async def lift(db: AsyncConnection, address_hash: str) -> None:
    """Lift a suppression; raises NotFound. A consent that was withdrawn stays so."""
    statement = "DELETE FROM suppressions WHERE address_hash = :hash RETURNING address_hash"
    row = (await db.execute(text(statement), {"hash": address_hash})).first()
    if row is None:
        raise NotFound("there is no such suppression")


def _row_of(row: RowMapping) -> SuppressionRow:
    return SuppressionRow.model_validate(dict(row))
