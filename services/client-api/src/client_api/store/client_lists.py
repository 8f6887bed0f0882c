"""Pages of clients: by id or by score, along an index however long the list."""

from datetime import date
from typing import Any

from client_api.store.clients import COLUMNS, SCORE_COLUMNS, SERVED, WITH_SCORE, fields_of
from client_api.store.reads import Reads, Values

ID_DIGITS_MAX = 18
"""A search of so many digits may be an id and fits a bigint."""
SCORED = "scores s JOIN clients c ON c.id = s.client_id"
"""The score of a client who was deleted past the API may stay for a day: it is no row."""


async def by_id(
    reads: Reads,
    *,
    descending: bool,
    after: int | None,
    state: str | None,
    search: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Return the fields of the next ``limit`` clients behind id ``after``, as in ClientRow."""
    values = Values()
    sign, way = ("<", "DESC") if descending else (">", "ASC")
    keys, source, where = ["c.id"], "clients c", ["true"]
    if state is not None:
        keys, source = ["c.id", "s.client_id"], SCORED
        where = [f"s.as_of = {SERVED}", f"s.state = {values.place(state)}"]
    if after is not None:
        # Said of both tables: a merge of the two would begin at the first row of the other.
        where += [f"{key} {sign} {values.place(after)}" for key in keys]
    named = _named(values, search)
    page = _page(f"{keys[0]} AS id FROM {source}", where, named, f"id {way}", limit)
    # The page first, and then what belongs to it: the joins never see more than its rows.
    statement = f"""
        SELECT {COLUMNS}, {SCORE_COLUMNS} FROM ({page}) p
        JOIN clients c ON c.id = p.id {WITH_SCORE} ORDER BY p.id {way}
    """
    return await _rows(reads, statement, values, search)


async def by_score(
    reads: Reads,
    *,
    descending: bool,
    after: tuple[float | None, int] | None,
    state: str | None,
    search: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Return the fields of the next ``limit`` clients behind a score and id, as in ClientRow.

    Clients with a score come first, lowest or highest; those without one follow by id.
    """
    rows: list[dict[str, Any]] = []
    behind = 0
    if after is None or after[0] is not None:
        statement, values = _scored(after, state, search, limit, descending=descending)
        rows = await _rows(reads, statement, values, search)
    else:
        behind = after[1]
    if len(rows) < limit:
        statement, values = _unscored(behind, state, search, limit - len(rows))
        rows += await _rows(reads, statement, values, search)
    return rows


def _scored(
    after: tuple[float | None, int] | None,
    state: str | None,
    search: str | None,
    limit: int,
    *,
    descending: bool,
) -> tuple[str, Values]:
    values = Values()
    sign, way = ("<", "DESC") if descending else (">", "ASC")
    where = [f"s.as_of = {SERVED}", "s.score IS NOT NULL"]
    if state is not None:
        where.append(f"s.state = {values.place(state)}")
    if after is not None:
        score, client = (values.place(part) for part in after)
        where.append(f"(s.score, s.client_id) {sign} ({score}::float8, {client})")
    order = f"score {way}, client_id {way}"
    page = _page(f"s.score, s.client_id FROM {SCORED}", where, _named(values, search), order, limit)
    statement = f"""
        SELECT {COLUMNS}, {SCORE_COLUMNS} FROM ({page}) p
        JOIN clients c ON c.id = p.client_id {WITH_SCORE}
        ORDER BY p.score {way}, p.client_id {way}
    """
    return statement, values


def _unscored(behind: int, state: str | None, search: str | None, limit: int) -> tuple[str, Values]:
    """Clients without counted orders, and those who wait for their first score."""
    values = Values()
    after = values.place(behind)
    scored = [f"s.as_of = {SERVED}", "s.score IS NULL", f"s.client_id > {after}"]
    if state is not None:
        scored.append(f"s.state = {values.place(state)}")
    named = _named(values, search)
    # The index sorts by the score too, which none of them has.
    select = f"s.score, s.client_id FROM {SCORED}"
    parts = [_page(select, scored, named, "score, client_id", limit)]
    if state is None:
        select = "u.client_id FROM clients_unscored u JOIN clients c ON c.id = u.client_id"
        parts.append(_page(select, [f"u.client_id > {after}"], named, "client_id", limit))
    ids = " UNION ALL ".join(f"SELECT client_id FROM ({part}) a" for part in parts)
    statement = f"""
        SELECT {COLUMNS}, {SCORE_COLUMNS} FROM ({ids} ORDER BY client_id LIMIT {limit:d}) p
        JOIN clients c ON c.id = p.client_id {WITH_SCORE} ORDER BY c.id
    """
    return statement, values


def _page(select: str, where: list[str], named: list[str], order: str, limit: int) -> str:
    """Select the first rows that meet all of ``where`` and, if there is any, one of ``named``.

    Each name has an index of its own, and each is searched by a plan of its own: along the order
    where many bear it, by its index where few do. One OR of them could be neither.
    """
    parts = [
        f"""SELECT {select} WHERE {" AND ".join([*where, name])}
            ORDER BY {order} LIMIT {limit:d}"""
        for name in named or ["true"]
    ]
    if len(parts) == 1:
        return parts[0]
    return f"{' UNION '.join(f'({part})' for part in parts)} ORDER BY {order} LIMIT {limit:d}"


def _named(values: Values, search: str | None) -> list[str]:
    """Return how a client can be what is searched for: by first name, surname or id."""
    if search is None:
        return []
    # As the indexes of names are: whatever the case.
    begins = values.place(search.lower())
    names = [f"lower(c.{name}) ^@ {begins}" for name in ("first_name", "surname")]
    if search.isascii() and search.isdigit() and len(search) <= ID_DIGITS_MAX:
        names.append(f"c.id = {values.place(int(search))}")
    return names


async def served(reads: Reads) -> date | None:
    """Return the day being served."""
    day: date | None = (await reads.rows("SELECT as_of FROM score_serving", ()))[0]["as_of"]
    return day


async def _rows(
    reads: Reads, statement: str, values: Values, search: str | None
) -> list[dict[str, Any]]:
    found = await reads.rows(statement, values.all, search=search is not None)
    return [fields_of(row) for row in found]
