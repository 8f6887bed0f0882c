"""Where the shop stands: the projector's figures against the rows, and the flow, hop by hop."""

import asyncio
import json
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.database import make_engine
from client_api.operations import pipeline as pipeline_module
from client_api.operations.pipeline import HOPS, PipelineWatch, pipeline_of
from client_api.problems import Unavailable
from client_api.projector.days import Days
from client_api.projector.figures import Figures
from client_api.projector.records import reduce
from client_api.projector.store import ScoreStore
from client_api.store import figures as figures_module
from common.clock import Anchor, BusinessClock, date_of, write_anchor
from common.effect import needed_per_arm
from common.score.ledger import Ledger
from common.score.model import assess, decay_over
from tests.integration.client_api.serving import Api, until
from tests.integration.client_api.trial import LONG_AGO, NOW, WINDOW, Trial
from tests.integration.client_api.watching import statements_of
from tests.scored import POLICY, TODAY, day_after, ledger, row, scored
from tests.servers import Database

CLIENTS = 120


@pytest.fixture
def trial(admin: asyncpg.Connection) -> Trial:
    """An empty shop to fill."""
    return Trial(admin)


@pytest.fixture
async def figures(database: Database, tmp_path: Path):
    """The one who counts, at a standing business time."""
    clock = tmp_path / "clock.json"
    write_anchor(clock, Anchor(datetime.now(UTC), NOW, 0.0))
    engine = make_engine(SecretStr(database.client_api_url))
    yield Figures(engine, BusinessClock(clock), "USD")
    await engine.dispose()


async def overview(api: Api) -> dict[str, Any]:
    """Read the overview."""
    answer = await api.http.get("/api/overview")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _serve_scores(database: Database, ledgers: dict[int, Ledger], day: date) -> None:
    async with asyncpg.create_pool(database.client_api_url, min_size=1, max_size=3) as pool:
        store = ScoreStore(pool)
        await Days(pool, store).advance(date_of(TODAY))
        await store.write(reduce(row(scored(i, found), 1) for i, found in ledgers.items()))
        await Days(pool, store).advance(day)


def _some_ledgers(clients: list[int], seed: int) -> dict[int, Ledger]:
    chance = random.Random(seed)
    return {
        i: ledger(
            sorted(chance.sample(range(400), chance.randrange(6)), reverse=True),
            chance.randrange(1, 50_000),
        )
        for i in clients
    }


async def test_before_anything_is_counted_nothing_is_said(api: Api) -> None:
    """Figures that nobody counted yet, and hops that nobody asked, are null and never zero."""
    found = await overview(api)
    pipeline = found.pop("pipeline")
    assert set(found.values()) == {None}
    assert [hop["name"] for hop in pipeline["hops"]] == list(HOPS)
    for hop in pipeline["hops"]:
        assert (hop["lag_records"], hop["lag_s"], hop["lag_bytes"]) == (None, None, None)
        assert "KAFKA_BOOTSTRAP_SERVERS is not set" in hop["reason"]
    assert pipeline["dead_letters"] is None
    assert (await api.http.get("/api/overview/history")).json() == {"days": []}


@pytest.mark.parametrize("seed", range(2))
async def test_states_and_value_at_risk_are_those_of_the_scores(
    api: Api, database: Database, trial: Trial, figures: Figures, seed: int
) -> None:
    """Clients by state and the sum of decayed spend at risk, as the common score has them."""
    clients = await trial.clients(CLIENTS)
    ledgers = _some_ledgers(clients[:-5], seed)
    day = day_after(20)
    await _serve_scores(database, ledgers, day)
    assert await figures.count() == day
    expected: dict[str, int] = {}
    value = 0.0
    for orders in ledgers.values():
        found = assess(orders, TODAY, POLICY)
        today = assess(orders, TODAY + 20, POLICY)
        expected[today.state] = expected.get(today.state, 0) + 1
        if today.state == "at_risk" and found.features is not None:
            silence = TODAY + 20 - found.features.last
            value += found.features.value * decay_over(silence, POLICY.half_life_days)
    told = await overview(api)
    assert told["as_of"] == day.isoformat()
    assert {k: n for k, n in told["clients_by_state"].items() if n} == expected
    assert expected["at_risk"] > 0
    assert told["unscored"] == 5
    assert told["at_risk_value"]["currency"] == "USD"
    assert float(told["at_risk_value"]["amount"]) == pytest.approx(value, abs=0.006)


async def test_recovered_value_is_what_was_ordered_after_an_email_within_the_window(
    api: Api, database: Database, trial: Trial, figures: Figures
) -> None:
    """Each counted order once, only behind a final text, only within the effect's window."""
    await _serve_scores(database, {}, NOW.date())
    clients = await trial.clients(9)
    later = LONG_AGO + timedelta(days=2)
    written = await trial.begin(clients[:6], "pending", now_in="written")
    await trial.write(written, later)
    await trial.begin(clients[6:7], "held_out")
    [unfinished] = await trial.begin(clients[7:8], "pending", now_in="draft")
    await trial.write([unfinished], later)
    await trial._admin.execute(
        "UPDATE emails SET written_as_of = NULL WHERE episode_id = $1", unfinished
    )
    again = await trial.begin(clients[:1], "pending", now_in="sent", at=later)
    await trial.write(again, later)
    after = later + timedelta(days=3)
    await trial.order(clients[:1], after, amount="30.10")  # within the windows of two episodes
    await trial.order(clients[1:2], after, amount="12.05")
    await trial.order(clients[1:2], LONG_AGO + WINDOW, amount="1.00")
    await trial.order(clients[2:3], LONG_AGO + timedelta(days=1))  # before the email
    await trial.order(clients[3:4], LONG_AGO + WINDOW + timedelta(seconds=1))  # too late
    await trial.order(clients[4:5], after, status="cancelled")
    await trial.order(clients[5:6], after, amount="0")
    await trial.order(clients[6:9], after)  # held out, not final, never at risk
    await trial.order(clients[1:2], after, currency="EUR")  # cannot be added
    await figures.count()
    told = await overview(api)
    assert told["recovered_value"] == {"amount": "43.15", "currency": "USD"}
    assert told["recovered_clients"] == 2
    assert {k: n for k, n in told["emails_by_state"].items() if n} == {
        "written": 6,
        "held_out": 1,
        "draft": 1,
        "sent": 1,
    }


async def test_the_effect_in_short_is_the_effect(
    api: Api, database: Database, trial: Trial, figures: Figures
) -> None:
    """Too few clients say how many are needed; enough of them have a difference."""
    await _serve_scores(database, {}, NOW.date())
    clients = await trial.clients(2 * needed_per_arm() + 2)
    half = len(clients) // 2
    await trial.begin(clients[:9], "held_out")
    await figures.count()
    short = (await overview(api))["effect"]
    assert (short["enough"], short["needed_per_arm"]) == (False, needed_per_arm(0.0))
    assert (short["held_out"], short["not_held_out"], short["difference"]) == (9, 0, None)
    await trial.begin(clients[9:half], "held_out")
    await trial.begin(clients[half:], "pending", now_in="sent")
    await trial.order(clients[half : half + 400], LONG_AGO + timedelta(days=1))
    await figures.count()
    short = (await overview(api))["effect"]
    assert short["enough"]
    assert short["difference"]["low"] > 0


async def test_each_served_day_keeps_the_figures_counted_last_on_it(
    api: Api, database: Database, trial: Trial, figures: Figures
) -> None:
    """The history has a row a day, oldest first, of as many days as were asked for."""
    clients = await trial.clients(20)
    ledgers = _some_ledgers(clients, 3)
    for ahead in (0, 1, 2, 40):
        await _serve_scores(database, ledgers, day_after(ahead))
        await figures.count()
    await trial.clients(3)
    await figures.count()
    path = "/api/overview/history"
    days = (await api.http.get(path, params={"days": 90})).json()["days"]
    assert [one["as_of"] for one in days] == [day_after(n).isoformat() for n in (0, 1, 2, 40)]
    assert [one["unscored"] for one in days] == [0, 0, 0, 3]
    assert all(sum(one["clients_by_state"].values()) == 20 for one in days)
    days = (await api.http.get(path, params={"days": 40})).json()["days"]
    assert [one["as_of"] for one in days] == [day_after(n).isoformat() for n in (1, 2, 40)]


async def test_figures_follow_what_changes_and_the_day(
    database: Database, admin: asyncpg.Connection, trial: Trial, figures: Figures
) -> None:
    """The counting goes on by itself: after a switch, and after rows have changed."""
    await trial.clients(4)
    await _serve_scores(database, {1: ledger([3])}, date_of(TODAY))
    stop = asyncio.Event()
    counting = asyncio.create_task(figures.run(stop))
    newest = "SELECT unscored FROM daily_figures WHERE as_of = $1"
    await until(lambda: admin.fetchval(newest + " AND unscored = 3", date_of(TODAY)))
    await trial.clients(2)
    await until(lambda: admin.fetchval(newest + " AND unscored = 5", date_of(TODAY)))
    await _serve_scores(database, {}, day_after(1))
    figures.wanted.set()
    await until(lambda: admin.fetchval(newest + " AND unscored = 5", day_after(1)))
    stop.set()
    async with asyncio.timeout(5):
        await counting
    assert figures.check() is None


async def test_the_overview_takes_one_statement(api: Api, figures: Figures) -> None:
    """Nothing is counted when somebody looks."""
    await overview(api)
    with statements_of(api) as statements:
        await overview(api)
    assert len(statements) == 1
    assert "daily_figures" in statements[0]


def _status(**changes: Any) -> dict[str, Any]:
    readers = [
        {"hop": hop, "group": "g", "members": 1, "records": 7, "exact": True, "seconds": 1.5}
        for hop in HOPS[1:]
    ]
    slot = {"hop": HOPS[0], "records": None, "seconds": 0.5, "behind_bytes": 99}
    letters = [{"topic": "client.events", "waiting": 2, "kept": 3, "reasons": {}, "newest": None}]
    found = {"at": NOW, "hops": [slot, *readers], "dead_letters": letters, "problems": []}
    return found | changes


def test_a_status_becomes_hops_with_lag_and_letters_by_topic() -> None:
    """What was measured is told as it is; a hop that nobody reads says so beside its lag."""
    found = pipeline_of(_status())
    assert [hop.name for hop in found.hops] == list(HOPS)
    assert (found.hops[0].lag_records, found.hops[0].lag_bytes) == (None, 99)
    assert all((hop.lag_records, hop.lag_s) == (7, 1.5) for hop in found.hops[1:])
    assert all(hop.reason is None for hop in found.hops)
    assert found.dead_letters is not None
    assert [(one.topic, one.waiting) for one in found.dead_letters] == [("client.events", 2)]
    status = _status()
    status["hops"][-1]["members"] = 0
    assert pipeline_of(status).hops[-1].reason == "nobody reads as g"
    assert pipeline_of(status).hops[-1].lag_records == 7


def test_what_could_not_be_asked_is_null_with_the_reason() -> None:
    """No hop is missing, and none is at zero, because Kafka did not answer."""
    slot = {"hop": HOPS[0], "records": None, "seconds": None}
    problems = ["Kafka: no broker answers", "Postgres: no way in"]
    found = pipeline_of(_status(hops=[slot], dead_letters=None, problems=problems))
    assert [hop.name for hop in found.hops] == list(HOPS)
    assert {(hop.lag_records, hop.lag_s, hop.lag_bytes) for hop in found.hops} == {
        (None, None, None)
    }
    assert {hop.reason for hop in found.hops} == {"; ".join(problems)}
    assert found.dead_letters is None


async def test_whoever_looks_often_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look waits a bounded time; later ones get the last answer while it is asked."""
    monkeypatch.setattr(pipeline_module, "FIRST_LIMIT_S", 0.05)
    asked, go_on = 0, asyncio.Event()

    async def status() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        await go_on.wait()
        return _status()

    watch = PipelineWatch(status)
    first = await watch.look()
    assert {hop.reason for hop in first.hops} == {"it is being asked"}
    go_on.set()
    monkeypatch.setattr(pipeline_module, "FIRST_LIMIT_S", 10)
    assert (await watch.look()).hops[1].lag_records == 7
    assert asked == 1
    go_on.clear()
    monkeypatch.setattr(pipeline_module, "FRESH_S", 0.0)
    async with asyncio.timeout(5):
        assert (await watch.look()).hops[1].lag_records == 7
        assert (await watch.look()).hops[1].lag_records == 7
    await asyncio.sleep(0)  # the task that asks begins with the loop's next turn
    assert asked == 2
    monkeypatch.setattr(pipeline_module, "FIRST_LIMIT_S", 0.01)
    monkeypatch.setattr(pipeline_module, "STALE_S", 0.0)
    assert (await watch.look()).hops[1].lag_records is None
    await watch.stop()


async def test_a_status_that_cannot_be_asked_says_why() -> None:
    """The reason stands at each hop."""

    async def status() -> dict[str, Any]:
        raise Unavailable("no way there")

    watch = PipelineWatch(status)
    assert {hop.reason for hop in (await watch.look()).hops} == {"no way there"}
    await watch.stop()


async def test_money_is_a_decimal_string(api: Api, database: Database, figures: Figures) -> None:
    """With two places, whatever the sum."""
    await _serve_scores(database, {}, NOW.date())
    await figures.count()
    told = (await overview(api))["recovered_value"]
    assert told == {"amount": "0.00", "currency": "USD"}
    assert Decimal(told["amount"]) == 0


async def test_a_day_that_is_dropped_meanwhile_is_counted_whole(
    database: Database, trial: Trial, figures: Figures, admin: asyncpg.Connection
) -> None:
    """Between reading which day is served and counting it, nobody can take it away."""
    clients = await trial.clients(30)
    await _serve_scores(database, _some_ledgers(clients, 1), day_after(1))
    execute = AsyncConnection.execute
    switched: list[Any] = []

    async def switching(db: AsyncConnection, statement: Any, *rest: Any) -> Any:
        if str(statement) == figures_module.CLIENTS_BY_STATE and not switched:
            switched.append(await _serve_scores(database, {}, day_after(2)))
        return await execute(db, statement, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AsyncConnection, "execute", switching)
        assert await figures.count() == day_after(1)
    assert switched
    counts = await admin.fetchval("SELECT clients_by_state FROM daily_figures")
    assert sum(json.loads(counts).values()) == 30
