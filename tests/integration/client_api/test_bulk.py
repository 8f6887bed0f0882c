"""Bulk loads by newline-delimited JSON, on a real Postgres."""

import asyncio
import random
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import orjson
import pytest

from client_api.bounds import BulkBounds
from client_api.web import bulk as bulk_module
from client_api.web import bulk_out
from client_api.web.tally import MEMORY_BYTES_MAX
from tests.integration.client_api.serving import Api, assert_problem, running_api, until
from tests.servers import Database
from tests.tokens import issuer

NDJSON = {"Content-Type": "application/x-ndjson"}
LOAD_LIMIT_S = 240.0
"""For a hundred thousand rows whose memory is traced, on a machine that has other work."""


async def test_good_rows_go_in_and_bad_ones_are_named_by_line(api: Api) -> None:
    """A bad line, of whatever kind, costs only itself."""
    ada = await api.client()
    taken = await api.order(ada["id"], id=500)
    good = {"client_id": ada["id"], "amount": "5.00", "ordered_at": "2026-01-01T00:00:00Z"}
    result = await api.load(
        "orders",
        [
            good,
            b"not json",
            {**good, "client_id": 999},
            b"",
            {**good, "id": taken["id"]},
            {**good, "id": 600},
            {**good, "id": 600},
            {**good, "amount": "NaN"},
            b"x" * 200_000,
            {**good, "category": "a\x00b"},
            {**good, "colour": "red"},
            {**good, "id": 10**30},
            {"client_id": ada["id"], "amount": "1.50"},
            b"null",
        ],
    )
    assert (result["accepted"], result["rejected"]) == (3, 10)
    assert [error["line"] for error in result["errors"]] == [2, 3, 5, 7, 8, 9, 10, 11, 12, 14]
    details = {error["line"]: error["detail"] for error in result["errors"]}
    assert details[3] == "there is no client 999"
    assert details[5] == "there is an order 500 already"
    assert details[7] == "the id 600 stands on an earlier line"
    assert details[9] == "the line is too long"
    assert details[11] == "colour: Extra inputs are not permitted"
    assert len(await api.pages("/api/orders")) == 4
    assert (await api.order(ada["id"]))["id"] > 600


async def test_extreme_dates_do_not_fail_their_neighbours(api: Api) -> None:
    """The first and last moments of the calendar are dates like any other."""
    ada = await api.client()
    moments = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-01-01T00:00:00Z"]
    result = await api.load(
        "orders", [{"client_id": ada["id"], "amount": "1", "ordered_at": m} for m in moments]
    )
    counts = {"accepted": 3, "rejected": 0, "unnamed": 0}
    assert result == {**counts, "dry_run": False, "errors": []}
    listed = {row["ordered_at"] for row in await api.pages("/api/orders")}
    assert listed == set(moments)


async def test_clients_are_loaded_with_all_their_fields(api: Api) -> None:
    """What a single create keeps, a load keeps; tags of any number per client."""
    full = {
        "id": 7,
        "first_name": "Zoë",
        "surname": "Quint",
        "email": "zoe@example.com",
        "phone": "1",
        "address": "2",
        "style_tags": ["a", 'b"c', "{d}"],
        "time_zone": "Europe/Paris",
        "consent": False,
        "synthetic": True,
    }
    result = await api.load("clients", [full, {"first_name": "Bob"}, full, {"surname": "x"}])
    assert (result["accepted"], result["rejected"]) == (2, 2)
    rows = await api.pages("/api/clients")
    assert {name: rows[0][name] for name in full} == full
    assert rows[1]["id"] == 8
    assert rows[1]["style_tags"] == []


async def test_at_most_a_hundred_errors_are_named(api: Api) -> None:
    """All bad lines are counted, the first hundred named."""
    result = await api.load("orders", [b"{}"] * 2500)
    assert (result["accepted"], result["rejected"], result["unnamed"]) == (0, 2500, 2400)
    assert [error["line"] for error in result["errors"]] == list(range(1, 101))


async def test_a_load_of_another_kind_is_refused(api: Api) -> None:
    """Bulk routes take newline-delimited JSON and say so."""
    assert_problem(await api.http.post("/api/orders/bulk", json=[]), 415)


async def test_loaded_ids_that_were_used_before_get_a_second_version(
    api: Api, admin: asyncpg.Connection
) -> None:
    """Fresh ids take one version; ids that may have been deleted before take one more."""
    ada = await api.client()
    rows = [{"id": i, "client_id": ada["id"], "amount": "1"} for i in range(1, 11)]
    await api.load("orders", rows)
    fresh = await admin.fetchval("SELECT max(version) - min(version) + 1 FROM orders")
    assert fresh == 10
    await admin.execute("DELETE FROM orders")
    before = await admin.fetchval("SELECT last_value FROM row_version")
    await api.load("orders", rows)
    assert await admin.fetchval("SELECT min(version) FROM orders") == before + 10 + 1


async def test_a_load_is_streamed_and_commits_as_it_goes(
    api: Api, admin: asyncpg.Connection
) -> None:
    """The first thousand rows are there while the caller is still sending."""
    ada = await api.client()
    line = orjson.dumps({"client_id": ada["id"], "amount": "1"}) + b"\n"
    first_chunk_seen = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield line * 1500
        await until(lambda: admin.fetchval("SELECT count(*) >= 1000 FROM orders"))
        first_chunk_seen.set()
        yield line * 10

    answer = await api.http.post("/api/orders/bulk", content=body(), headers=NDJSON)
    assert first_chunk_seen.is_set()
    counts = {"accepted": 1510, "rejected": 0, "unnamed": 0}
    assert answer.json() == {**counts, "dry_run": False, "errors": []}


async def _lines(api: Api, path: str, **params: str | int) -> list[Any]:
    async with api.http.stream("GET", path, params=params) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/x-ndjson"
        return [orjson.loads(line) async for line in answer.aiter_lines()]


def _mixed_orders(client_id: int, seed: int) -> list[Any]:
    """Rows of every kind."""
    chance = random.Random(seed)
    good = {"client_id": client_id, "amount": "5.00"}
    kinds: list[Any] = [
        good,
        {**good, "client_id": 999},
        {**good, "amount": "NaN"},
        b"not json",
        b"",
        {**good, "id": 500},
    ]
    return [chance.choice(kinds) for _ in range(200)]


@pytest.mark.parametrize("seed", range(2))
async def test_a_dry_run_refuses_what_a_load_would_and_writes_nothing(
    api: Api, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """The same counts and the same lines, for the same reasons; no row, version or id is used."""
    monkeypatch.setattr(bulk_module, "CHUNK_ROWS", 23)
    ada = await api.client()
    await api.order(ada["id"], id=500)
    state = """SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM clients),
        (SELECT last_value FROM row_version), (SELECT last_value FROM orders_id_seq),
        (SELECT count(*) FROM audit)"""
    clients = [{"first_name": "B", "id": 1 + n % 40} for n in range(80)] + [{"surname": "x"}]
    chance = random.Random(seed)
    ids = [
        {"client_id": ada["id"], "amount": "1", "id": chance.randrange(9000, 9060)}
        for _ in range(90)
    ]
    loads = (("orders", _mixed_orders(ada["id"], seed)), ("orders", ids), ("clients", clients))
    for what, rows in loads:
        before = await admin.fetchrow(state)
        tried = await api.load(what, rows, dry_run=True)
        assert await admin.fetchrow(state) == before
        done = await api.load(what, rows)
        assert tried == {**done, "dry_run": True}
        assert done["rejected"] > 20
        assert done["accepted"] > 20


async def test_every_refused_line_is_named_when_asked_for_line_by_line(api: Api) -> None:
    """As newline-delimited JSON the answer has no limit of a hundred; the counts come last."""
    ada = await api.client()
    good = orjson.dumps({"client_id": ada["id"], "amount": "1"})
    content = b"\n".join(good if n % 5 == 0 else b"{}" for n in range(1, 2501))
    answer = await api.http.post(
        "/api/orders/bulk", content=content, headers={**NDJSON, "Accept": "application/x-ndjson"}
    )
    assert answer.headers["content-type"] == "application/x-ndjson"
    *errors, result = [orjson.loads(line) for line in answer.text.splitlines()]
    assert result == {"accepted": 500, "rejected": 2000, "unnamed": 0, "dry_run": False}
    assert [error["line"] for error in errors] == [n for n in range(1, 2501) if n % 5]
    assert all("client_id: Field required" in error["detail"] for error in errors)


async def test_a_load_that_says_it_is_too_long_is_refused_whole(
    database: Database, admin: asyncpg.Connection
) -> None:
    """Its length stands in its head: nothing of it is read."""
    async with running_api(database.client_api_url, bulk_bounds=BulkBounds(bytes_max=50)) as api:
        answer = await api.http.post(
            "/api/clients/bulk", content=b'{"first_name":"Bob"}\n' * 3, headers=NDJSON
        )
    problem = assert_problem(answer, 413)
    assert problem["detail"] == "a load may have at most 50 bytes; no line of it was taken"
    assert await admin.fetchval("SELECT count(*) FROM clients") == 0


@pytest.mark.parametrize(
    ("bounds", "bound_and_lines"),
    [(BulkBounds(lines_max=5), ("5 lines", 5)), (BulkBounds(bytes_max=74), ("74 bytes", 4))],
)
async def test_a_load_that_turns_out_too_long_says_how_far_it_was_taken(
    database: Database,
    admin: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    bounds: BulkBounds,
    bound_and_lines: tuple[str, int],
) -> None:
    """What came before the bound is in or refused, and counted; nothing after it is."""
    monkeypatch.setattr(bulk_module, "CHUNK_ROWS", 2)
    bound, lines = bound_and_lines

    async def body() -> AsyncIterator[bytes]:
        yield b"{}\n"
        for _ in range(10):
            yield b'{"first_name":"Bob"}\n'

    async with running_api(database.client_api_url, bulk_bounds=bounds) as api:
        tried = await api.http.post(
            "/api/clients/bulk?dry_run=true", content=body(), headers=NDJSON
        )
        assert await admin.fetchval("SELECT count(*) FROM clients") == 0
        answer = await api.http.post("/api/clients/bulk", content=body(), headers=NDJSON)
    said = (
        f"a load may have at most {bound}; of its first {lines} lines {lines - 1} rows %s, 1 lines "
        "were refused, and none after them was looked at: send the others by themselves"
    )
    assert assert_problem(tried, 413)["detail"] == said % "would go in"
    assert assert_problem(answer, 413)["detail"] == said % "are in"
    assert await admin.fetchval("SELECT count(*) FROM clients") == lines - 1


async def test_refusals_are_named_up_to_a_bound_and_counted_beyond(database: Database) -> None:
    """Line by line, too, an answer says how many it does not name; no reason is endless."""
    bounds = BulkBounds(refusals_bytes_max=2_000)
    content = b'{"%s":1}\n' % (b"x" * 60_000) + b"{}\n" * 100
    async with running_api(database.client_api_url, bulk_bounds=bounds) as api:
        answer = await api.http.post(
            "/api/clients/bulk",
            content=content,
            headers={**NDJSON, "Accept": "application/x-ndjson"},
        )
    *errors, result = [orjson.loads(line) for line in answer.text.splitlines()]
    assert 2 < len(errors) < 50
    assert [error["line"] for error in errors] == list(range(1, len(errors) + 1))
    assert len(errors[0]["detail"]) == 500
    unnamed = 101 - len(errors)
    assert result == {"accepted": 0, "rejected": 101, "unnamed": unnamed, "dry_run": False}
    assert sum(len(line) + 1 for line in answer.text.splitlines()[:-1]) <= 2_000


async def test_a_load_takes_the_same_memory_however_long_it_is(api: Api) -> None:
    """A hundred thousand rows, a tenth of them refused and named, take as little as 2,000."""
    ada = await api.client()
    good = orjson.dumps({"client_id": ada["id"], "amount": "1"}) + b"\n"

    async def body(rows: int) -> AsyncIterator[bytes]:
        for _ in range(rows // 100):
            yield good * 90 + b"{}\n" * 10

    async def peak_of(rows: int, path: str) -> int:
        tracemalloc.reset_peak()
        begun = tracemalloc.get_traced_memory()[0]
        headers = {**NDJSON, "Accept": "application/x-ndjson"}
        async with api.http.stream(
            "POST", path, content=body(rows), headers=headers, timeout=LOAD_LIMIT_S
        ) as answer:
            last = b""
            async for part in answer.aiter_bytes():
                last = (last + part)[-200:]
        assert orjson.loads(last.splitlines()[-1])["accepted"] == rows * 9 // 10
        return tracemalloc.get_traced_memory()[1] - begun

    tracemalloc.start()
    try:
        for path in ("/api/orders/bulk", "/api/orders/bulk?dry_run=true"):
            await peak_of(2_000, path)
            few, many = await peak_of(2_000, path), await peak_of(100_000, path)
            # Refusals wait in memory up to a bound, and twice of it while it grows; rows would take
            # a hundred megabytes.
            assert many < few + 3 * MEMORY_BYTES_MAX
    finally:
        tracemalloc.stop()


async def test_lists_stream_out_whole(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Line by line what the pages hold, every row once, filtered as they are."""
    monkeypatch.setattr(bulk_out, "PAGE_ROWS", 7)
    clients = [await api.client(first_name=f"C{n}") for n in range(14)]
    rows = [
        {
            "client_id": clients[n % 3]["id"],
            "amount": "1",
            "ordered_at": f"2026-01-0{1 + n % 4}T00:00:00Z",
        }
        for n in range(40)
    ]
    assert (await api.load("orders", rows))["accepted"] == len(rows)
    assert await _lines(api, "/api/clients/bulk") == await api.pages("/api/clients")
    assert await _lines(api, "/api/orders/bulk") == await api.pages("/api/orders")
    one = clients[1]["id"]
    found = await _lines(api, "/api/orders/bulk", client_id=one)
    assert found == await api.pages("/api/orders", client_id=one)
    assert len(found) == 13
    assert await _lines(api, "/api/clients/bulk", state="at_risk") == []
    assert_problem(await api.http.get("/api/clients/bulk", params={"state": "x"}), 422)
    answer = await api.http.get("/api/clients/bulk", headers=issuer().bearer("clients:read"))
    shown = [orjson.loads(line) for line in answer.text.splitlines()]
    assert [row["id"] for row in shown] == [row["id"] for row in clients]
    assert {(row["first_name"], row["masked"]) for row in shown} == {("•••", True)}
