"""Bulk loads by newline-delimited JSON, on a real Postgres."""

import asyncio
import time
from collections.abc import AsyncIterator

import asyncpg
import orjson

from tests.integration.client_api.serving import Api, assert_problem, until

NDJSON = {"Content-Type": "application/x-ndjson"}


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
            {"client_id": ada["id"], "amount": 1.5},
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
    assert result == {"accepted": 3, "rejected": 0, "errors": []}
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
    assert (result["accepted"], result["rejected"]) == (0, 2500)
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
    assert answer.json() == {"accepted": 1510, "rejected": 0, "errors": []}


async def test_a_load_sustains_two_thousand_orders_a_second(api: Api) -> None:
    """Ten thousand orders go in well under five seconds, even on a busy machine."""
    ids = [(await api.client(first_name=f"C{i}"))["id"] for i in range(20)]
    rows = [
        {"client_id": ids[i % 20], "amount": "9.99", "ordered_at": "2026-01-01T00:00:00Z"}
        for i in range(10_000)
    ]
    started = time.monotonic()
    result = await api.load("orders", rows)
    took_s = time.monotonic() - started
    assert result["accepted"] == 10_000
    assert 10_000 / took_s > 2000
