"""The served day moves on: every row recomputed, none lost, all at once."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from client_api.projector import days as days_module
from client_api.projector.days import Days
from client_api.projector.metrics import Metrics
from client_api.projector.records import reduce
from client_api.projector.store import ScoreStore
from client_api.projector.watch import DayWatch
from client_api.store import client_lists
from common.clock import Anchor, BusinessClock, date_of, write_anchor
from common.score.ledger import Ledger
from common.score.model import assess
from tests.integration.client_api.serving import Api, assert_problem, until
from tests.scored import POLICY, TODAY, day_after, ledger, row, scored
from tests.servers import Database

CLIENTS = 300
Pool = asyncpg.Pool


@pytest.fixture
async def pool(database: Database, admin: asyncpg.Connection) -> AsyncIterator[Pool]:
    """Connections of the projector's role to a database with some clients."""
    await admin.execute(
        f"INSERT INTO clients (first_name) SELECT 'C' FROM generate_series(1, {CLIENTS})"
    )
    async with asyncpg.create_pool(database.client_api_url, min_size=1, max_size=6) as opened:
        yield opened


@pytest.fixture
def store(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> ScoreStore:
    """A store; sweeps take small chunks, so that much happens between them."""
    monkeypatch.setattr(days_module, "CHUNK_ROWS", 23)
    return ScoreStore(pool)


def _ledger(chance: random.Random) -> Ledger:
    days = chance.sample(range(500), chance.choice([0, 1, 1, 2, 3, 5]))
    return ledger(sorted(days, reverse=True), chance.randrange(1, 20_000))


async def _assert_served(admin: asyncpg.Connection, day: date, ledgers: dict[int, Ledger]) -> None:
    """All rows served are of this day and equal a direct computation."""
    rows = await admin.fetch(
        """SELECT client_id, score, state FROM scores
           WHERE as_of = (SELECT as_of FROM score_serving)"""
    )
    assert await admin.fetchval("SELECT as_of FROM score_serving") == day
    assert {found["client_id"] for found in rows} == ledgers.keys()
    number = TODAY + (day - date_of(TODAY)).days
    for client_id, score, state in rows:
        expected = assess(ledgers[client_id], number, POLICY)
        assert state == expected.state, client_id
        assert score == (expected.score and pytest.approx(expected.score, abs=1e-9))


async def test_a_new_day_recomputes_every_row_and_drops_the_old_one(
    store: ScoreStore, pool: Pool, admin: asyncpg.Connection
) -> None:
    """Scores and states are those of the new day; only its partition is left."""
    days = Days(pool, store)
    assert await days.advance(date_of(TODAY)) == 0
    chance = random.Random(1)
    ledgers = {i: _ledger(chance) for i in range(1, CLIENTS + 1)}
    await store.write(reduce(row(scored(i, orders), 1) for i, orders in ledgers.items()))
    await _assert_served(admin, date_of(TODAY), ledgers)
    for ahead in (1, 2, 60, 400):
        assert await days.advance(day_after(ahead)) == CLIENTS
        await _assert_served(admin, day_after(ahead), ledgers)
        assert await admin.fetchval("SELECT count(*) FROM scores") == CLIENTS
    assert await days.advance(day_after(399)) is None
    await _assert_served(admin, day_after(400), ledgers)


async def test_the_page_is_told_of_the_new_day(
    store: ScoreStore, pool: Pool, admin: asyncpg.Connection
) -> None:
    """The switch notifies once it is committed."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    await admin.add_listener("served", lambda *args: heard.put_nowait(str(args[3])))
    await Days(pool, store).advance(date_of(TODAY))
    async with asyncio.timeout(5):
        assert await heard.get() == '{"as_of" : "2026-01-01"}'


@pytest.mark.parametrize("seed", range(4))
async def test_scores_written_during_a_switch_are_not_lost(
    store: ScoreStore, pool: Pool, api: Api, admin: asyncpg.Connection, seed: int
) -> None:
    """Batches, erasures and two projectors beside several switches: every row right on the last."""
    chance = random.Random(seed)
    await Days(pool, store).advance(date_of(TODAY))
    ledgers = {i: _ledger(chance) for i in range(1, CLIENTS + 1)}
    await store.write(reduce(row(scored(i, orders), 1) for i, orders in ledgers.items()))
    last = day_after(9)
    switched = asyncio.Event()

    async def write() -> None:
        version = 1
        while not switched.is_set():
            version += 1
            chosen = chance.sample(range(1, CLIENTS + 1), 20)
            ledgers.update({i: _ledger(chance) for i in chosen})
            await store.write(
                reduce(row(scored(i, ledgers[i], version=version), version) for i in chosen)
            )

    async def erase() -> None:
        for client_id in range(5, CLIENTS, 25):
            answer = await api.http.delete(f"/api/clients/{client_id}")
            assert answer.status_code == 204, answer.text

    async def switch() -> None:
        ahead = 0
        while await admin.fetchval("SELECT as_of FROM score_serving") != last:
            ahead = min(ahead + 1, 9)
            await asyncio.gather(*(Days(pool, store).advance(day_after(ahead)) for _ in range(2)))
        switched.set()

    await asyncio.gather(write(), erase(), switch())
    for client_id in range(5, CLIENTS, 25):
        ledgers.pop(client_id)
    await _assert_served(admin, last, ledgers)


async def test_a_switch_that_died_halfway_is_taken_up_again(
    store: ScoreStore, pool: Pool, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that were filled before the crash and changed after it are right all the same."""
    days = Days(pool, store)
    await days.advance(date_of(TODAY))
    chance = random.Random(3)
    ledgers = {i: _ledger(chance) for i in range(1, CLIENTS + 1)}
    await store.write(reduce(row(scored(i, orders), 1) for i, orders in ledgers.items()))

    async def die(_: Days, _day: date) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(Days, "_switch", die)
        with pytest.raises(RuntimeError):
            await days.advance(day_after(1))
    await _assert_served(admin, date_of(TODAY), ledgers)
    ledgers.update({i: _ledger(chance) for i in range(1, 40)})
    await store.write(reduce(row(scored(i, ledgers[i], version=2), 2) for i in range(1, 40)))
    await _assert_served(admin, date_of(TODAY), ledgers)
    assert await days.advance(day_after(1)) == CLIENTS
    await _assert_served(admin, day_after(1), ledgers)

    with monkeypatch.context() as patch:
        patch.setattr(Days, "_switch", die)
        with pytest.raises(RuntimeError):
            await days.advance(day_after(2))
    assert await days.advance(day_after(5)) == CLIENTS
    await _assert_served(admin, day_after(5), ledgers)
    assert await admin.fetchval("SELECT count(DISTINCT as_of) FROM scores") == 1


async def test_readers_see_one_whole_day_at_every_moment(
    store: ScoreStore, pool: Pool, api: Api
) -> None:
    """Lists read during switches hold every client, all as of one day."""
    await Days(pool, store).advance(date_of(TODAY))
    await store.write(reduce(row(scored(i, ledger([9, 4])), 1) for i in range(1, CLIENTS + 1)))
    done = asyncio.Event()

    async def switch() -> None:
        for ahead in range(1, 8):
            await Days(pool, store).advance(day_after(ahead))
        done.set()

    async def look() -> int:
        looks = 0
        while not done.is_set():
            for sort in ("id", "-score"):
                answer = await api.http.get("/api/clients", params={"sort": sort, "limit": 200})
                rows = answer.json()["items"]
                assert len(rows) == 200
                assert len({found["score"]["as_of"] for found in rows}) == 1
                looks += 1
        return looks

    _, looks = await asyncio.gather(switch(), look())
    assert looks > 1


async def test_the_watch_follows_the_shops_midnight_and_skips_days(
    store: ScoreStore, pool: Pool, tmp_path: Path, admin: asyncpg.Connection
) -> None:
    """The shop's zone decides the day; a clock that jumps serves the day it lands on."""
    file = tmp_path / "clock.json"

    def set_clock(business: datetime) -> None:
        write_anchor(file, Anchor(datetime.now(UTC), business, 0.0))

    set_clock(datetime(2026, 1, 1, 23, 30, tzinfo=UTC))
    watch = DayWatch(Days(pool, store), BusinessClock(file), ZoneInfo("Asia/Tokyo"), Metrics())
    await watch.turn()
    assert await admin.fetchval("SELECT as_of FROM score_serving") == date(2026, 1, 2)
    set_clock(datetime(2026, 3, 1, tzinfo=UTC))
    await watch.turn()
    assert await admin.fetchval("SELECT as_of FROM score_serving") == date(2026, 3, 1)
    set_clock(datetime(2026, 2, 1, tzinfo=UTC))
    await watch.turn()
    assert await admin.fetchval("SELECT as_of FROM score_serving") == date(2026, 3, 1)


async def test_an_erasure_in_the_middle_of_a_chunk_stays_an_erasure(
    store: ScoreStore,
    pool: Pool,
    api: Api,
    admin: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client erased between a chunk's reading and its writing is not brought back by it."""
    days = Days(pool, store)
    await days.advance(date_of(TODAY))
    await store.write(reduce(row(scored(i, ledger([9, 4])), 1) for i in range(1, 11)))
    erasures: list[asyncio.Task[Any]] = []
    policies = store.policies

    async def policies_and_an_erasure(versions: set[int]) -> Any:
        if not erasures:
            erasures.append(asyncio.create_task(api.http.delete("/api/clients/7")))
            await until(lambda: _waits_or_done(admin, erasures[0]))
        return await policies(versions)

    monkeypatch.setattr(store, "policies", policies_and_an_erasure)
    await days.advance(day_after(1))
    assert (await erasures[0]).status_code == 204
    left = await admin.fetchval("SELECT array_agg(client_id ORDER BY client_id) FROM scores")
    assert left == [1, 2, 3, 4, 5, 6, 8, 9, 10]


async def _waits_or_done(admin: asyncpg.Connection, task: "asyncio.Task[Any]") -> bool:
    waiting = await admin.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")
    return task.done() or waiting > 0


@pytest.mark.parametrize(
    "params", [{"sort": "score"}, {"sort": "-score"}, {"sort": "id", "state": "active"}], ids=str
)
async def test_pages_of_one_day_do_not_go_on_on_another(
    store: ScoreStore, pool: Pool, api: Api, params: dict[str, str]
) -> None:
    """On another day a cursor would skip and repeat clients: 410, and the list begins anew."""
    days = Days(pool, store)
    await days.advance(date_of(TODAY))
    chance = random.Random(8)
    ledgers = {i: ledger(sorted(chance.sample(range(60), 4), reverse=True)) for i in range(1, 61)}
    await store.write(reduce(row(scored(i, found), 1) for i, found in ledgers.items()))
    query = {**params, "limit": 5}
    page = (await api.http.get("/api/clients", params=query)).json()
    query["cursor"] = page["next"]
    assert (await api.http.get("/api/clients", params=query)).status_code == 200
    await days.advance(day_after(1))
    document = assert_problem(await api.http.get("/api/clients", params=query), 410)
    assert "start again" in document["detail"]
    del query["cursor"]
    assert (await api.http.get("/api/clients", params=query)).status_code == 200


async def test_pages_by_id_go_on_whatever_the_day(store: ScoreStore, pool: Pool, api: Api) -> None:
    """By id alone every client has its place, on any day."""
    days = Days(pool, store)
    await days.advance(date_of(TODAY))
    page = (await api.http.get("/api/clients", params={"limit": 200})).json()
    await days.advance(day_after(1))
    rest = await api.http.get("/api/clients", params={"limit": 200, "cursor": page["next"]})
    ids = [found["id"] for found in page["items"] + rest.json()["items"]]
    assert ids == list(range(1, CLIENTS + 1))


async def test_a_switch_between_reading_and_answering_is_noticed(
    store: ScoreStore, pool: Pool, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of the new day behind a cursor of the old one never go out."""
    days = Days(pool, store)
    await days.advance(date_of(TODAY))
    await store.write(reduce(row(scored(i, ledger([40, 9, 4])), 1) for i in range(1, 61)))
    query: dict[str, Any] = {"sort": "score", "limit": 5}
    query["cursor"] = (await api.http.get("/api/clients", params=query)).json()["next"]
    by_score = client_lists.by_score

    async def switching(*args: Any, **values: Any) -> Any:
        await days.advance(day_after(1))
        return await by_score(*args, **values)

    monkeypatch.setattr(client_lists, "by_score", switching)
    assert_problem(await api.http.get("/api/clients", params=query), 410)
