"""Pages of clients: by id or by score, the same few statements however long the list."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.store.clients import COLUMNS, SCORE_COLUMNS, SERVED, WITH_SCORE, row_of
from client_api.web.responses import ClientRow

ID_DIGITS_MAX = 18
"""A search of so many digits may be an id and fits a bigint."""

SEARCHED = """(
    lower(c.first_name) LIKE :prefix OR lower(c.surname) LIKE :prefix OR c.id = :searched_id
)"""


async def by_id(
    db: AsyncConnection,
    *,
    descending: bool,
    after: int | None,
    state: str | None,
    search: str | None,
    limit: int,
) -> list[ClientRow]:
    """Return the next ``limit`` clients behind id ``after``."""
    where, values = _conditions(state, search)
    if after is not None:
        where.append(f"c.id {'<' if descending else '>'} :after")
        values["after"] = after
    statement = f"""
        SELECT {COLUMNS}, {SCORE_COLUMNS} FROM clients c {WITH_SCORE}
        WHERE {" AND ".join(where)}
        ORDER BY c.id {"DESC" if descending else "ASC"} LIMIT :limit
    """
    return await _rows(db, statement, {**values, "limit": limit})


async def by_score(
    db: AsyncConnection,
    *,
    descending: bool,
    after: tuple[float | None, int] | None,
    state: str | None,
    search: str | None,
    limit: int,
) -> list[ClientRow]:
    """Return the next ``limit`` clients behind a score and id.

    Clients with a score come first, lowest or highest; those without one follow by id.
    """
    where, values = _conditions(state, search)
    values["limit"] = limit
    rows: list[ClientRow] = []
    if after is None or after[0] is not None:
        if after is not None:
            values |= {"score": after[0], "after": after[1]}
        rows = await _rows(db, _scored(where, descending=descending, behind=after), values)
        after = None
    if len(rows) < limit:
        values |= {"limit": limit - len(rows), "after": 0 if after is None else after[1]}
        rows += await _rows(db, _unscored(where), values)
    return rows


def _scored(where: list[str], *, descending: bool, behind: object) -> str:
    conditions = [*where, f"s.as_of = {SERVED}", "s.score IS NOT NULL"]
    if behind is not None:
        sign = "<" if descending else ">"
        conditions.append(f"(s.score, s.client_id) {sign} (CAST(:score AS float8), :after)")
    way = "DESC" if descending else "ASC"
    return f"""
        SELECT {COLUMNS}, {SCORE_COLUMNS} FROM scores s
        JOIN clients c ON c.id = s.client_id
        LEFT JOIN score_features f ON f.client_id = s.client_id
        WHERE {" AND ".join(conditions)}
        ORDER BY s.score {way}, s.client_id {way} LIMIT :limit
    """


def _unscored(where: list[str]) -> str:
    return f"""
        SELECT {COLUMNS}, {SCORE_COLUMNS} FROM clients c {WITH_SCORE}
        WHERE {" AND ".join([*where, "s.score IS NULL", "c.id > :after"])}
        ORDER BY c.id LIMIT :limit
    """


def _conditions(state: str | None, search: str | None) -> tuple[list[str], dict[str, Any]]:
    where = ["true"]
    values: dict[str, Any] = {}
    if state is not None:
        where.append("s.state = :state")
        values["state"] = state
    if search is not None:
        where.append(SEARCHED)
        escaped = search.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        values["prefix"] = f"{escaped}%"
        digits = search.isascii() and search.isdigit() and len(search) <= ID_DIGITS_MAX
        values["searched_id"] = int(search) if digits else 0
    return where, values


async def _rows(db: AsyncConnection, statement: str, values: dict[str, Any]) -> list[ClientRow]:
    return [row_of(row) for row in (await db.execute(text(statement), values)).mappings()]
