"""Pages of clients: by id or by score, along an index however long the list."""

from datetime import date
from typing import Any

from client_api.store.clients import COLUMNS, SCORE_COLUMNS, SERVED, WITH_SCORE, fields_of
from client_api.store.reads import Reads, Values
from client_api.store.search import upper_bound

ID_DIGITS_MAX = 18
"""A search of so many digits may be an id and fits a bigint."""


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
        keys, source = ["s.client_id"], "scores s"
        where = [f"s.as_of = {SERVED}", f"s.state = {values.place(state)}"]
        if search is not None:
            keys, source = ["c.id", "s.client_id"], "scores s JOIN clients c ON c.id = s.client_id"
    if search is not None:
        where.append(_searched(values, search))
    if after is not None:
        # Said of both tables: a merge of the two would begin at the first row of the other.
        where += [f"{key} {sign} {values.place(after)}" for key in keys]
    # The page first, and then what belongs to it: the joins never see more than its rows.
    statement = f"""
        SELECT {COLUMNS}, {SCORE_COLUMNS} FROM (
            SELECT {keys[0]} AS id FROM {source} WHERE {" AND ".join(where)}
            ORDER BY {keys[0]} {way} LIMIT {limit:d}
        ) p JOIN clients c ON c.id = p.id {WITH_SCORE} ORDER BY p.id {way}
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
    if search is not None:
        where.append(_searched(values, search))
    if after is not None:
        score, client = (values.place(part) for part in after)
        where.append(f"(s.score, s.client_id) {sign} ({score}::float8, {client})")
    statement = f"""
        SELECT {COLUMNS}, {SCORE_COLUMNS} FROM scores s
        JOIN clients c ON c.id = s.client_id
        LEFT JOIN score_features f ON f.client_id = s.client_id
        WHERE {" AND ".join(where)}
        ORDER BY s.score {way}, s.client_id {way} LIMIT {limit:d}
    """
    return statement, values


def _unscored(behind: int, state: str | None, search: str | None, limit: int) -> tuple[str, Values]:
    """Clients without counted orders, and those who wait for their first score."""
    values = Values()
    after = values.place(behind)
    shared = "" if search is None else f" AND {_searched(values, search)}"
    scored = [f"s.as_of = {SERVED}", "s.score IS NULL", f"s.client_id > {after}"]
    if state is not None:
        scored.append(f"s.state = {values.place(state)}")
    parts = [
        f"""(SELECT s.client_id FROM scores s JOIN clients c ON c.id = s.client_id
             WHERE {" AND ".join(scored)}{shared} ORDER BY s.score, s.client_id LIMIT {limit:d})"""
    ]
    if state is None:
        parts.append(
            f"""(SELECT u.client_id FROM clients_unscored u JOIN clients c ON c.id = u.client_id
                 WHERE u.client_id > {after}{shared} ORDER BY u.client_id LIMIT {limit:d})"""
        )
    statement = f"""
        SELECT {COLUMNS}, {SCORE_COLUMNS} FROM (
            SELECT client_id FROM ({" UNION ALL ".join(parts)}) p ORDER BY client_id LIMIT {limit:d}
        ) p JOIN clients c ON c.id = p.client_id {WITH_SCORE} ORDER BY c.id
    """
    return statement, values


def _searched(values: Values, search: str) -> str:
    """Begin a first name or surname with the text, whatever its case, or be the id."""
    low = search.lower()
    high = upper_bound(low)
    first = values.place(low)
    until = None if high is None else values.place(high)
    # Bytewise, as the indexes are: any text sorts among those that begin with it.
    names = [
        f"lower(c.{name}) ~>=~ {first}" + (f" AND lower(c.{name}) ~<~ {until}" if until else "")
        for name in ("first_name", "surname")
    ]
    if search.isascii() and search.isdigit() and len(search) <= ID_DIGITS_MAX:
        names.append(f"c.id = {values.place(int(search))}")
    return f"({' OR '.join(f'({name})' for name in names)})"


async def served(reads: Reads) -> date | None:
    """Return the day being served."""
    day: date | None = (await reads.rows("SELECT as_of FROM score_serving", ()))[0]["as_of"]
    return day


async def _rows(
    reads: Reads, statement: str, values: Values, search: str | None
) -> list[dict[str, Any]]:
    found = await reads.rows(statement, values.all, search=search is not None)
    return [fields_of(row) for row in found]
