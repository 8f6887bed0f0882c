"""Pages of clients: every row once, under every sort, in few statements."""

from typing import Any

import asyncpg
import pytest

from tests.integration.client_api.serving import Api, assert_problem

CLIENTS = """
INSERT INTO clients (first_name, surname)
SELECT (ARRAY['Ada', 'adam', 'Bo%b', 'Éva'])[1 + g % 4], CASE WHEN g % 5 = 0 THEN 'Ada_x' END
FROM generate_series(1, 60) g;
SELECT scores_open_day('2026-01-02'), scores_open_day('2026-01-01');
UPDATE score_serving SET as_of = '2026-01-02';
INSERT INTO score_features SELECT id, 1, version, 0, 1, NULL, NULL, 0, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, '[]', now() FROM clients WHERE id % 6 <> 0;
INSERT INTO scores SELECT '2026-01-02', id,
    CASE WHEN id % 6 = 5 THEN NULL ELSE (id % 7)::float8 / 10 END,
    CASE WHEN id % 6 = 5 THEN 'no_orders' WHEN id % 2 = 0 THEN 'active' ELSE 'at_risk' END
FROM clients WHERE id % 6 <> 0;
INSERT INTO scores SELECT '2026-01-01', id, 0.99, 'lapsed' FROM clients;
"""
"""Every sixth has no score row, every sixth a null score; many scores are equal."""


@pytest.fixture
async def filled(api: Api, admin: asyncpg.Connection) -> Api:
    """Sixty clients on a served day, beside an older day that nobody must see."""
    await admin.execute(CLIENTS)
    return api


def _key(row: dict[str, Any], sort: str) -> tuple[Any, ...]:
    sign = -1 if sort.startswith("-") else 1
    if sort.endswith("id"):
        return (sign * row["id"],)
    score = row["score"]["score"] if row["score"] else None
    return (1, 0, row["id"]) if score is None else (0, sign * score, sign * row["id"])


@pytest.mark.parametrize("sort", ["id", "-id", "score", "-score"])
@pytest.mark.parametrize("limit", [1, 7, 200])
async def test_pages_cover_every_client_once_in_order(filled: Api, sort: str, limit: int) -> None:
    """Whatever the page size: each client once, sorted, those without a score last."""
    rows = await filled.pages("/api/clients", sort=sort, limit=limit)
    assert sorted(row["id"] for row in rows) == list(range(1, 61))
    assert rows == sorted(rows, key=lambda row: _key(row, sort))
    shown = {row["id"]: row["score"] for row in rows}
    assert shown[6] is None
    assert shown[5]["score"] is None
    assert {row["score"]["as_of"] for row in rows if row["score"]} == {"2026-01-02"}


@pytest.mark.parametrize("sort", ["id", "score", "-score"])
@pytest.mark.parametrize("state", [None, "active"])
async def test_a_score_of_nobody_ends_no_list(
    filled: Api, admin: asyncpg.Connection, sort: str, state: str | None
) -> None:
    """Clients who were deleted past the API leave scores behind: the others are all there."""
    params: dict[str, Any] = {"sort": sort, "limit": 2} | ({"state": state} if state else {})
    before = [row["id"] for row in await filled.pages("/api/clients", **params)]
    gone = before[1:4]
    await admin.execute("DELETE FROM clients WHERE id = ANY($1)", gone)
    after = [row["id"] for row in await filled.pages("/api/clients", **params)]
    assert after == [one for one in before if one not in gone]


@pytest.mark.parametrize("sort", ["id", "-id", "score", "-score"])
@pytest.mark.parametrize("state", ["active", "at_risk", "no_orders", "lapsed"])
async def test_a_state_filter_keeps_exactly_its_clients(filled: Api, sort: str, state: str) -> None:
    """A filtered list is the whole list without the others, in the same order."""
    every = await filled.pages("/api/clients", sort=sort)
    wanted = [row for row in every if row["score"] and row["score"]["state"] == state]
    assert await filled.pages("/api/clients", sort=sort, state=state, limit=3) == wanted


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ada", lambda row: row["first_name"] in {"Ada", "adam"} or row["surname"]),
        ("ADA_", lambda row: row["surname"]),
        ("bo%", lambda row: row["first_name"] == "Bo%b"),
        ("%", lambda row: False),
        ("\\", lambda row: False),
        ("éV", lambda row: row["first_name"] == "Éva"),
        ("17", lambda row: row["id"] == 17),
        ("٣", lambda row: False),
        ("9" * 100, lambda row: False),
    ],
)
async def test_search_matches_the_beginning_of_names_and_ids(
    filled: Api, search: str, found: Any
) -> None:
    """Case does not matter; wildcards are letters like any other."""
    every = await filled.pages("/api/clients")
    for sort in ("id", "-score"):
        rows = await filled.pages("/api/clients", search=search, sort=sort, limit=4)
        assert {row["id"] for row in rows} == {row["id"] for row in every if found(row)}


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 201},
        {"limit": "x"},
        {"limit": 10**30},
        {"sort": "name"},
        {"state": "happy"},
        {"cursor": "!!!"},
        {"cursor": ""},
        {"cursor": "WyJpZCIsMV0x"},
        {"cursor": "bnVsbA"},
        {"cursor": "WyItaWQiLDFd"},
        {"cursor": "WyJpZCIsIngiXQ"},
        {"cursor": "WyJpZCIsOTk5OTk5OTk5OTk5OTk5OTk5OTk5XQ"},
        {"cursor": "x" * 500},
        {"search": ""},
        {"search": "a\x00"},
        {"search": "x" * 101},
        {"page": 2},
    ],
    ids=str,
)
async def test_an_odd_query_is_a_422_problem(api: Api, params: dict[str, Any]) -> None:
    """Odd limits, sorts, cursors, searches and unknown parameters are refused."""
    assert_problem(await api.http.get("/api/clients", params=params), 422)


async def test_a_cursor_belongs_to_its_sort(filled: Api) -> None:
    """A cursor of one list is refused by another."""
    page = (await filled.http.get("/api/clients", params={"sort": "score", "limit": 1})).json()
    answer = await filled.http.get("/api/clients", params={"sort": "id", "cursor": page["next"]})
    assert_problem(answer, 422)


async def test_clients_stand_among_those_who_wait_until_their_first_score(
    api: Api, admin: asyncpg.Connection
) -> None:
    """From creation to the first score, and again when the score is taken back; then they go."""

    async def waiting() -> list[int]:
        rows = await admin.fetch("SELECT client_id FROM clients_unscored ORDER BY 1")
        return [row["client_id"] for row in rows]

    await api.client(id=1)
    await api.load("clients", [{"id": 2, "first_name": "Bo"}, {"id": 3, "first_name": "Cy"}])
    assert await waiting() == [1, 2, 3]
    await admin.execute(SCORED, [1, 2])
    assert await waiting() == [3]
    await admin.execute("DELETE FROM score_features WHERE client_id = 1")
    assert await waiting() == [1, 3]
    for client in (2, 3):
        assert (await api.http.delete(f"/api/clients/{client}")).status_code == 204
    assert await waiting() == [1]


SCORED = """
INSERT INTO score_features (client_id, generation, merged_version, record_offset, policy_version,
                            order_days, merged, scored_at)
SELECT id, 1, 1, 1, 1, 0, '[]', now() FROM unnest($1::bigint[]) AS id
"""
