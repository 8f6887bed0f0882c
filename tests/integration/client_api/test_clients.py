"""Clients over HTTP, on a real Postgres."""

import asyncio

import asyncpg
import pytest

from tests.integration.client_api.serving import Api, assert_problem, until_someone_waits
from tests.servers import Database

INVALID = [
    {},
    {"first_name": ""},
    {"first_name": "x" * 101},
    {"first_name": None},
    {"first_name": "nul\x00"},
    {"first_name": 5},
    {"first_name": "Ada", "score": 1.0},
    {"first_name": "Ada", "version": 3},
    {"first_name": "Ada", "id": 0},
    {"first_name": "Ada", "id": -1},
    {"first_name": "Ada", "id": 10**15 + 1},
    {"first_name": "Ada", "id": 10**40},
    {"first_name": "Ada", "id": "7"},
    {"first_name": "Ada", "id": True},
    {"first_name": "Ada", "style_tags": ["x"] * 21},
    {"first_name": "Ada", "style_tags": ["\x00"]},
    {"first_name": "Ada", "style_tags": [None]},
    {"first_name": "Ada", "time_zone": "Mars/Olympus"},
    {"first_name": "Ada", "time_zone": "../../etc/passwd"},
    {"first_name": "Ada", "email": "nobody"},
    {"first_name": "Ada", "consent": None},
    ["Ada"],
    "Ada",
    None,
]
NOT_JSON = [
    b"",
    b"{",
    b'{"first_name": NaN}',
    b'{"first_name": "Ada", "id": 1e999}',
    b'{"first_name": "\\ud800"}',
    b'{"first_name": "\xff"}',
    b"[" * 100_000,
    b'{"first_name": "Ada", "id": ' + b"9" * 5000 + b"}",
]


async def test_a_client_is_created_read_changed_and_listed(api: Api) -> None:
    """What goes in comes out, with an id, a growing version as ETag, and no score yet."""
    made = await api.http.post(
        "/api/clients",
        json={"first_name": "Zoë", "style_tags": ["linen", "blue"], "time_zone": "Europe/Paris"},
    )
    assert made.status_code == 201
    row = made.json()
    assert made.headers["location"] == f"/api/clients/{row['id']}"
    assert made.headers["etag"] == f'"{row["version"]}"'
    assert row["score"] is None
    assert row["consent"] is True
    assert row["created_at"].endswith("Z")

    changed = await api.http.patch(
        f"/api/clients/{row['id']}", json={"surname": "Quint", "consent": False}
    )
    assert changed.status_code == 200
    after = changed.json()
    assert after["version"] > row["version"]
    assert {
        **row,
        **{k: after[k] for k in ("surname", "consent", "version", "updated_at")},
    } == after
    read = await api.http.get(f"/api/clients/{row['id']}")
    assert read.json() == after
    assert read.headers["etag"] == f'"{after["version"]}"'
    assert await api.pages("/api/clients") == [after]


async def test_null_clears_an_optional_field_and_is_refused_elsewhere(api: Api) -> None:
    """A patch takes null only where the row may hold it."""
    row = await api.client(surname="Quint")
    path = f"/api/clients/{row['id']}"
    assert (await api.http.patch(path, json={"surname": None})).json()["surname"] is None
    assert_problem(await api.http.patch(path, json={"first_name": None}), 422)
    assert_problem(await api.http.patch(path, json={"id": 9}), 422)


async def test_an_empty_patch_changes_nothing(api: Api) -> None:
    """Naming no field takes no new version."""
    row = await api.client()
    answer = await api.http.patch(f"/api/clients/{row['id']}", json={})
    assert answer.json() == row


@pytest.mark.parametrize("body", INVALID)
async def test_an_invalid_body_is_a_422_problem(api: Api, body: object) -> None:
    """Nothing that the row could not hold gets near the database, and no value is repeated."""
    problem = assert_problem(await api.http.post("/api/clients", json=body), 422)
    assert problem["errors"]
    assert all(error.keys() == {"field", "detail"} for error in problem["errors"])


@pytest.mark.parametrize("raw", NOT_JSON)
async def test_a_body_that_is_no_json_is_a_422_problem(api: Api, raw: bytes) -> None:
    """Broken, endless or more-than-JSON bodies are the caller's fault."""
    headers = {"Content-Type": "application/json"}
    assert_problem(await api.http.post("/api/clients", content=raw, headers=headers), 422)


async def test_if_match_lets_only_one_of_two_writers_through(api: Api) -> None:
    """A version that is no longer the row's is a 412; a list or * may match."""
    row = await api.client()
    path = f"/api/clients/{row['id']}"
    tag = f'"{row["version"]}"'
    first = await api.http.patch(path, json={"surname": "A"}, headers={"If-Match": tag})
    assert first.status_code == 200
    second = await api.http.patch(path, json={"surname": "B"}, headers={"If-Match": tag})
    assert_problem(second, 412)
    newest = first.headers["etag"]
    third = await api.http.patch(
        path, json={"surname": "C"}, headers={"If-Match": f"{tag}, {newest}"}
    )
    assert third.status_code == 200
    assert_problem(await api.http.delete(path, headers={"If-Match": tag}), 412)
    any_version = await api.http.patch(path, json={"surname": "D"}, headers={"If-Match": "*"})
    assert any_version.status_code == 200
    for odd in ("abc", 'W/"1"', '"99999999999999999999"', '"1'):
        refused = await api.http.patch(path, json={}, headers={"If-Match": odd})
        assert_problem(refused, 422)


async def test_unknown_clients_are_404_and_odd_ids_422(api: Api) -> None:
    """An id that fits but does not exist is not found; one that cannot exist is invalid."""
    for path in ("/api/clients/404", f"/api/clients/{2**63 - 1}", "/api/clients/404/score"):
        assert_problem(await api.http.get(path), 404)
    assert_problem(await api.http.patch("/api/clients/404", json={"surname": "A"}), 404)
    assert_problem(await api.http.delete("/api/clients/404"), 404)
    for odd in ("0", "-1", "x", "1.5", str(2**63), "9" * 5000):
        assert_problem(await api.http.get(f"/api/clients/{odd}"), 422)


async def test_a_given_id_is_kept_and_the_sequence_moves_past_it(api: Api) -> None:
    """A taken id is a conflict; ids that Postgres gives come after all given ones."""
    assert (await api.client(id=700))["id"] == 700
    assert_problem(await api.http.post("/api/clients", json={"first_name": "B", "id": 700}), 409)
    assert (await api.client(id=650))["id"] == 650
    assert (await api.client())["id"] == 701


async def test_no_id_is_handed_out_twice_under_concurrency(api: Api) -> None:
    """Given and automatic ids mixed at once: every create succeeds with an id of its own."""
    given = [api.client(id=10_000 - 100 * i) for i in range(20)]
    free = [api.client() for _ in range(40)]
    rows = await asyncio.gather(
        *(x for pair in zip(given, free[:20], free[20:], strict=True) for x in pair)
    )
    assert len({row["id"] for row in rows}) == 60


async def test_a_recreated_id_takes_a_version_above_the_erased_ones(
    api: Api, database: Database, admin: asyncpg.Connection
) -> None:
    """A create that waits for the erasure of the same id still ends with the higher version."""
    row = await api.client(id=42)
    erasing = await asyncpg.connect(database.admin_url)
    try:
        transaction = erasing.transaction()
        await transaction.start()
        await erasing.execute("UPDATE clients SET first_name = first_name WHERE id = 42")
        await erasing.execute("DELETE FROM clients WHERE id = 42")
        creating = asyncio.create_task(api.client(id=42))
        await until_someone_waits(admin)
        # The waiting insert has its version already; the row it waits for gets a higher one.
        highest = await erasing.fetchval("SELECT nextval('row_version')")
        await transaction.commit()
    finally:
        await erasing.close()
    again = await creating
    assert again["version"] > highest > row["version"]
    assert again["id"] == 42
