"""Batches of scores on a real Postgres: the newest state wins, whatever comes beside it."""

import asyncio
import random
from collections.abc import AsyncIterator
from decimal import Decimal

import asyncpg
import pytest

from client_api.projector.days import Days
from client_api.projector.records import FeatureRow, Forgotten, reduce
from client_api.projector.store import ScoreStore
from common.clock import date_of
from common.score.model import assess
from tests.integration.client_api.serving import Api, until_someone_waits
from tests.scored import POLICY, TODAY, ledger, row, scored
from tests.servers import Database

CLIENTS = 20


@pytest.fixture
async def pool(
    database: Database, admin: asyncpg.Connection
) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    """Connections of the projector's role to a database with some clients."""
    await admin.execute(
        f"INSERT INTO clients (first_name) SELECT 'C' FROM generate_series(1, {CLIENTS})"
    )
    async with asyncpg.create_pool(database.client_api_url, min_size=1, max_size=4) as opened:
        yield opened


@pytest.fixture
async def store(pool: "asyncpg.Pool[asyncpg.Record]") -> ScoreStore:
    """A store that serves ``TODAY``."""
    store = ScoreStore(pool)
    await Days(pool, store).advance(date_of(TODAY))
    return store


def _history(seed: int) -> list[FeatureRow]:
    """Five growing ledgers for each client, as five records at rising offsets."""
    chance = random.Random(seed)
    rows = []
    for version in range(1, 6):
        for client_id in range(1, CLIENTS + 1):
            days = sorted(chance.sample(range(400), chance.randrange(version)), reverse=True)
            data = scored(client_id, ledger(days), version=version * 100 + client_id)
            rows.append(row(data, version * 1000 + client_id))
    return rows


async def _state(admin: asyncpg.Connection) -> list[tuple[object, ...]]:
    return [
        tuple(found)
        for found in await admin.fetch(
            """SELECT f.*, s.as_of, s.score, s.state FROM score_features f
               JOIN scores s USING (client_id) ORDER BY client_id"""
        )
    ]


@pytest.mark.parametrize("seed", range(5))
async def test_shuffled_and_repeated_records_end_in_the_newest_state(
    store: ScoreStore, admin: asyncpg.Connection, seed: int
) -> None:
    """Any order, any batching, any repetition: the same rows as the newest records alone."""
    history = _history(seed)
    newest = reduce(history).rows
    assert len(newest) == CLIENTS
    chance = random.Random(seed)
    shuffled = [*history, *chance.sample(history, 40)]
    chance.shuffle(shuffled)
    while shuffled:
        cut = chance.randrange(1, 30)
        await store.write(reduce(shuffled[:cut]))
        shuffled = shuffled[cut:]
    after = await _state(admin)
    await admin.execute("DELETE FROM score_features; DELETE FROM scores")
    await store.write(reduce(newest))
    assert after == await _state(admin)


async def test_scores_equal_the_shared_score_of_the_served_day(
    store: ScoreStore, pool: "asyncpg.Pool[asyncpg.Record]", admin: asyncpg.Connection
) -> None:
    """Table, explanation and direct computation give the same figures on a later day."""
    served = TODAY + 37
    await Days(pool, store).advance(date_of(served))
    ledgers = {
        1: ledger([]),
        2: ledger([10]),
        3: ledger([90, 60, 30]),
        4: ledger([400, 300, 200]),
        5: ledger([5, 4, 3, 0]),
    }
    rows = [row(scored(client_id, orders), 1) for client_id, orders in ledgers.items()]
    await store.write(reduce(rows))
    for client_id, orders in ledgers.items():
        expected = assess(orders, served, POLICY)
        score, state = await admin.fetchrow(
            "SELECT score, state FROM scores WHERE client_id = $1", client_id
        )
        assert state == expected.state
        assert score == (expected.score and pytest.approx(expected.score, abs=1e-12))


async def test_an_older_generation_never_replaces_a_newer_one(
    store: ScoreStore, admin: asyncpg.Connection
) -> None:
    """The generation counts first, then the merged version, then the offset."""
    new = row(scored(1, ledger([3]), version=5, generation=2), 1)
    old = row(scored(1, ledger([9]), version=900, generation=1), 900)
    await store.write(reduce([new]))
    written = await store.write(reduce([old]))
    assert (written.rows, written.stale) == (0, 1)
    assert await admin.fetchval("SELECT generation FROM score_features") == 2


async def test_records_of_clients_that_are_gone_are_skipped(
    store: ScoreStore, admin: asyncpg.Connection
) -> None:
    """A score of an unknown client costs its neighbours nothing."""
    rows = [row(scored(client_id, ledger([3])), 1) for client_id in (1, 9_999, 2)]
    written = await store.write(reduce(rows))
    assert (written.rows, written.gone) == (2, 1)
    assert await admin.fetchval("SELECT count(*) FROM scores") == 2


async def test_a_tombstone_forgets_what_came_before_it_and_nothing_after(
    store: ScoreStore, admin: asyncpg.Connection
) -> None:
    """The offset decides: a repeated tombstone leaves the newer record of a new client alone."""
    first = row(scored(1, ledger([3]), version=5), 10)
    await store.write(reduce([first, row(scored(2, ledger([3])), 11)]))
    assert (await store.write(reduce([first, Forgotten(1, 20)]))).forgotten == 1
    assert await admin.fetchval("SELECT array_agg(client_id) FROM scores") == [2]
    again = row(scored(1, ledger([1]), version=9), 30)
    await store.write(reduce([again]))
    assert (await store.write(reduce([Forgotten(1, 20), again]))).forgotten == 0
    assert await admin.fetchval("SELECT count(*) FROM scores") == 2


async def test_an_erasure_in_flight_delays_a_batch_but_never_fails_it(
    store: ScoreStore, database: Database, admin: asyncpg.Connection
) -> None:
    """The batch waits for the erasing transaction and goes on without that client."""
    await store.write(reduce([row(scored(1, ledger([3]), version=1), 1)]))
    erasing = await asyncpg.connect(database.client_api_url)
    try:
        transaction = erasing.transaction()
        await transaction.start()
        await erasing.execute("DELETE FROM clients WHERE id = 1")
        rows = [row(scored(i, ledger([1]), version=7), 7) for i in (1, 2, 3)]
        writing = asyncio.create_task(store.write(reduce(rows)))
        await until_someone_waits(admin)
        await transaction.commit()
    finally:
        await erasing.close()
    written = await writing
    assert (written.rows, written.gone) == (2, 1)
    left = await admin.fetchval("SELECT array_agg(client_id ORDER BY 1) FROM score_features")
    assert left == [2, 3]


async def test_erasures_and_batches_together_leave_no_orphan(
    store: ScoreStore, api: Api, admin: asyncpg.Connection
) -> None:
    """Every client erased over HTTP while batches name it again is gone from all tables."""
    history = _history(1)

    async def write() -> None:
        for start in range(0, len(history), 10):
            await store.write(reduce(history[start : start + 10]))

    async def erase(client_id: int) -> None:
        answer = await api.http.delete(f"/api/clients/{client_id}")
        assert answer.status_code == 204, answer.text

    await asyncio.gather(write(), write(), *(erase(i) for i in range(1, CLIENTS + 1, 2)))
    kept = set(range(2, CLIENTS + 1, 2))
    for table in ("score_features", "scores"):
        rows = await admin.fetch(f"SELECT client_id FROM {table}")
        assert {found["client_id"] for found in rows} == kept


async def test_the_explained_score_is_the_tables(
    store: ScoreStore, api: Api, admin: asyncpg.Connection
) -> None:
    """Score and state over HTTP equal the row; the parts add up; without orders all is null."""
    orders = ledger([120, 80, 40])
    await store.write(reduce([row(scored(1, orders, version=8), 1), row(scored(2, ledger([])), 2)]))
    shown = (await api.http.get("/api/clients/1/score")).json()
    listed = (await api.http.get("/api/clients/1")).json()["score"]
    assert shown["score"] == pytest.approx(listed["score"], abs=1e-12)
    assert shown["as_of"] == listed["as_of"] == str(date_of(TODAY))
    assert shown["state"] == listed["state"]
    assert shown["crossing_day"] == listed["crossing_day"]
    assert shown["version"] == listed["merged_version"] == 8
    assert shown["merged"] == [["order/1", 8]]
    why = shown["explanation"]
    assert sum(why["parts"].values()) == pytest.approx(why["total"])
    assert why["score_after_order"] > shown["score"]
    assert why["lift"] is None
    assert shown["features"]["order_days"] == 3
    assert shown["features"]["usual_gap_days"] == pytest.approx((45 + 80) / 3)
    assert Decimal(shown["features"]["spend_decayed"]["amount"]) < 150
    empty = (await api.http.get("/api/clients/2/score")).json()
    assert (empty["score"], empty["state"]) == (None, "no_orders")
    assert (empty["features"], empty["explanation"]) == (None, None)
    assert (await api.http.get("/api/clients/3/score")).status_code == 404
