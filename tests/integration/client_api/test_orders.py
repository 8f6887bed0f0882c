"""Orders over HTTP, on a real Postgres."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from common.clock import Anchor, BusinessClock, write_anchor
from tests.integration.client_api.serving import Api, assert_problem, running_api
from tests.servers import Database

INVALID = [
    {"amount": "1.234"},
    {"amount": "NaN"},
    {"amount": "Infinity"},
    {"amount": "1e400"},
    {"amount": "123456789012345.00"},
    {"amount": "ten"},
    {"amount": None},
    {"amount": "0E+999999999"},
    {"currency": "usd"},
    {"currency": "USD\n"},
    {"status": "lost"},
    {"category": ""},
    {"category": "a\x00b"},
    {"ordered_at": "2026-01-01T00:00:00"},
    {"ordered_at": "0001-01-01T00:00:00+14:00"},
    {"ordered_at": "9999-12-31T23:59:59-12:00"},
    {"ordered_at": "10000-01-01T00:00:00Z"},
    {"ordered_at": "infinity"},
    {"ordered_at": 1e30},
    {"client_id": 2**63},
    {"client_id": "1"},
    {"id": 0},
    {"colour": "red"},
]


async def test_an_order_is_created_read_changed_moved_and_deleted(api: Api) -> None:
    """Each step answers with the row and a growing version; money is a decimal string."""
    ada, bob = await api.client(), await api.client(first_name="Bob")
    row = await api.order(ada["id"], amount="29.90", ordered_at="2026-01-02T03:04:05.678901+02:00")
    assert row["amount"] == "29.90"
    assert row["ordered_at"] == "2026-01-02T01:04:05.678901Z"
    path = f"/api/orders/{row['id']}"
    paid = (await api.http.patch(path, json={"status": "paid", "amount": "0.01"})).json()
    assert (paid["status"], paid["amount"]) == ("paid", "0.01")
    moved = (await api.http.patch(path, json={"client_id": bob["id"]})).json()
    assert row["version"] < paid["version"] < moved["version"]
    assert await api.pages("/api/orders", client_id=ada["id"]) == []
    assert await api.pages("/api/orders", client_id=bob["id"]) == [moved]
    assert (await api.http.get(path)).json() == moved
    stale = {"If-Match": f'"{paid["version"]}"'}
    assert_problem(await api.http.patch(path, json={"status": "paid"}, headers=stale), 412)
    assert_problem(await api.http.delete(path, headers=stale), 412)
    assert (await api.http.delete(path)).status_code == 204
    assert_problem(await api.http.get(path), 404)
    assert_problem(await api.http.delete(path), 404)


@pytest.mark.parametrize("fields", INVALID, ids=str)
async def test_an_invalid_order_is_a_422_problem(api: Api, fields: dict[str, object]) -> None:
    """Odd money, odd times and odd names are refused before they reach the database."""
    body = {"client_id": 1, "amount": "1.00", **fields}
    assert_problem(await api.http.post("/api/orders", json=body), 422)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
async def test_the_first_and_last_moments_of_the_calendar_are_kept(api: Api, moment: str) -> None:
    """Dates of the years 1 to 9999 come back as they went in, also through a page's cursor."""
    ada = await api.client()
    for _ in range(3):
        assert (await api.order(ada["id"], ordered_at=moment))["ordered_at"] == moment
    assert len(await api.pages("/api/orders", limit=1)) == 3


@pytest.mark.parametrize("moment", ["12000-01-01Z", "0044-03-15 BC"])
async def test_an_order_that_no_document_can_date_hides_no_other(
    api: Api, admin: asyncpg.Connection, moment: str
) -> None:
    """One that came past the API with a year beyond 1 to 9999 is a dead letter of the relay's: it
    is in no list or curve, is not found, and can be given a date or taken away.
    """
    ada = await api.client()
    row, fine = await api.order(ada["id"]), await api.order(ada["id"])
    await admin.execute("UPDATE score_serving SET as_of = '2026-01-01'")
    await admin.execute(f"UPDATE orders SET ordered_at = '{moment}' WHERE id = {row['id']}")
    path = f"/api/orders/{row['id']}"
    assert await api.pages("/api/orders", limit=1) == [fine]
    lines = await api.http.get("/api/orders/bulk")
    assert len(lines.text.splitlines()) == 1
    assert (await api.http.get(f"/api/clients/{ada['id']}/curve")).status_code == 200
    assert_problem(await api.http.get(path), 404)
    assert_problem(await api.http.patch(path, json={"status": "paid"}), 404)
    dated = await api.http.patch(path, json={"ordered_at": "2026-01-01T00:00:00Z"})
    assert dated.json()["status"] == row["status"]
    assert (await api.http.get(path)).json() == dated.json()
    await admin.execute(f"UPDATE orders SET ordered_at = '{moment}' WHERE id = {row['id']}")
    assert (await api.http.delete(path)).status_code == 204


async def test_an_order_needs_its_client(api: Api) -> None:
    """An order for nobody is not found, when created and when moved."""
    assert_problem(await api.http.post("/api/orders", json={"client_id": 9, "amount": "1"}), 404)
    row = await api.order((await api.client())["id"])
    moved = await api.http.patch(f"/api/orders/{row['id']}", json={"client_id": 999})
    assert_problem(moved, 404)


async def test_given_ids_of_orders_conflict_when_taken(api: Api) -> None:
    """A given id is kept, a taken one is a conflict, automatic ones follow."""
    ada = await api.client()
    assert (await api.order(ada["id"], id=70))["id"] == 70
    body = {"client_id": ada["id"], "amount": "1", "id": 70}
    assert_problem(await api.http.post("/api/orders", json=body), 409)
    assert (await api.order(ada["id"]))["id"] == 71
    await api.http.delete("/api/orders/71")
    assert (await api.order(ada["id"]))["id"] == 72
    again = await api.order(ada["id"], id=71)
    touched = await api.order(ada["id"])
    assert again["version"] == touched["version"] - 1


async def test_an_order_without_a_date_gets_business_time(
    database: Database, tmp_path: Path
) -> None:
    """The shop's clock, not the machine's, dates an order that has no date."""
    file = tmp_path / "clock.json"
    business = datetime(2031, 5, 6, tzinfo=UTC)
    write_anchor(file, Anchor(datetime.now(UTC), business, 60.0))
    async with running_api(database.client_api_url, clock=BusinessClock(file)) as api:
        row = await api.order((await api.client())["id"])
        stats = (await api.http.get("/api/stats")).json()
    dated = datetime.fromisoformat(row["ordered_at"])
    assert business <= dated < business + timedelta(hours=1)
    assert stats["business_now"].startswith("2031-05-06T")
    assert stats["clock_rate"] == 60.0


async def test_an_order_that_names_no_currency_is_in_the_shops(database: Database) -> None:
    """One by one and in bulk; one that names another keeps it."""
    async with running_api(database.client_api_url, currency="EUR") as api:
        ada = await api.client()
        bare = {"client_id": ada["id"], "amount": "1.00"}
        rows = [bare, {**bare, "currency": None}, {**bare, "currency": "JPY"}]
        for row in rows:
            await api.order(**row)
        assert (await api.load("orders", rows))["accepted"] == len(rows)
        found = (await api.http.get("/api/orders")).json()["items"]
    assert sorted(order["currency"] for order in found) == ["EUR"] * 4 + ["JPY"] * 2


async def test_orders_are_listed_newest_first_each_once(api: Api) -> None:
    """Pages of any size cover every order once, also where many share one moment."""
    ada, bob = await api.client(), await api.client()
    days = ["2026-01-03", "2026-01-01", "2026-01-02"]
    for i in range(12):
        owner = ada if i % 2 else bob
        await api.order(owner["id"], ordered_at=f"{days[i % 3]}T00:00:00Z")
    every = await api.pages("/api/orders", limit=200)
    keys = [(row["ordered_at"], row["id"]) for row in every]
    assert keys == sorted(keys, reverse=True)
    assert len(keys) == 12
    assert await api.pages("/api/orders", limit=5) == every
    of_ada = await api.pages("/api/orders", limit=2, client_id=ada["id"])
    assert of_ada == [row for row in every if row["client_id"] == ada["id"]]
