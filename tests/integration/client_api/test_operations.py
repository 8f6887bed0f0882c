"""Operators' tasks over HTTP: asked for, one of a kind, told as they go, and true after a crash."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from confluent_kafka import Producer
from pydantic import SecretStr

from client_api.operations.runs import WHAT_IF, Interrupted, Runs
from client_api.problems import Conflict
from common.topics import CONTROL
from engage.letters import DEALT_WITH
from engage.progress import Watcher
from engage.settings import Settings
from tests.integration.client_api.serving import Api, assert_problem, running_api, until
from tests.servers import PARTITIONS, Database
from tests.tokens import issuer

LIMIT_S = 30


@pytest.fixture
async def shop(database: Database, kafka: str) -> AsyncIterator[Api]:
    """The API with all that its operators' tasks need but Connect and the mailer."""
    settings = Settings(
        kafka_bootstrap_servers=kafka,
        topic_partitions=PARTITIONS,
        engage_database_url=SecretStr(database.engage_url),
    )
    async with running_api(database.client_api_url, engage=settings) as running:
        yield running


async def ended(api: Api, run: int) -> dict[str, Any]:
    """Wait until a run has ended; return its row."""

    async def row() -> dict[str, Any] | None:
        found = (await api.http.get(f"/api/operations/{run}")).json()
        return found if found["state"] != "running" else None

    answer: dict[str, Any] = await until(row, LIMIT_S)
    return answer


class Held:
    """Work that goes on until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.interrupted = False

    def __call__(self, watcher: Watcher) -> dict[str, Any]:
        watcher.step("held", 10)
        watcher.advance(4)
        while not self.go.wait(0.05):
            try:
                watcher.advance(0)
            except Interrupted:
                self.interrupted = True
                raise
        return {"well": True}


async def test_what_is_not_set_up_is_named_in_a_503(api: Api) -> None:
    """Nothing pretends to work: the setting that is missing stands in the answer."""
    for path, body in (
        ("replays", {"client_ids": [1]}),
        ("backfills", {"table": "orders"}),
    ):
        problem = assert_problem(await api.http.post(f"/api/{path}", json=body), 503)
        assert "ENGAGE_DATABASE_URL" in problem["detail"]
    status = (await api.http.get("/api/status")).json()
    assert status["episodes"] is None
    assert any("KAFKA_BOOTSTRAP_SERVERS" in text for text in status["problems"])
    assert (await api.http.get("/api/operations")).json()["items"] == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("replays", {"client_ids": [999_999]}, 404),
        ("replays", {"client_ids": []}, 422),
        ("replays", {"client_ids": [1]}, 404),
        ("backfills", {"table": "episodes"}, 422),
        ("backfills", {"table": "orders", "where": "status = 1"}, 422),
        ("dead-letters/replays", {"topic": "nothing"}, 404),
        ("dead-letters/replays", {"topic": "client.events", "offset": 5}, 404),
    ],
)
async def test_bad_input_is_refused_and_starts_nothing(
    shop: Api, path: str, body: dict[str, Any], status: int
) -> None:
    """It is found out before a run begins: 404 for what is not there, 422 for what cannot be."""
    assert_problem(await shop.http.post(f"/api/{path}", json=body), status)
    assert (await shop.http.get("/api/operations")).json()["items"] == []


async def test_a_replay_is_a_run_with_an_outcome(shop: Api) -> None:
    """It is accepted at once; when no scorer reads what it sent, it has failed and says so."""
    client = await shop.client()
    body = {"client_ids": [client["id"]]}
    answer = await shop.http.post("/api/replays", json=body)
    assert answer.status_code == 202, answer.text
    row = await ended(shop, answer.json()["id"])
    assert (await shop.http.get(answer.headers["location"])).json() == row
    assert (row["kind"], row["actor"], row["state"]) == ("replay", "tester", "failed")
    assert "no scorer reads it" in row["error"]
    assert (row["step"], row["done"], row["total"]) == ("clients sent", 1, 1)
    assert row["finished_at"]


async def test_a_replay_is_counted_before_anybody_asks_for_it(shop: Api) -> None:
    """By ids or by the time of an order: whose rows, and how many orders; nothing is started."""
    ada, bob = await shop.client(), await shop.client()
    for client, day in ((ada, "01"), (ada, "02"), (bob, "05")):
        await shop.order(client["id"], ordered_at=f"2026-03-{day}T12:00:00Z")
    path = "/api/replays/preview"
    both = {"client_ids": [bob["id"], ada["id"], ada["id"]]}
    found = (await shop.http.post(path, json=both)).json()
    assert found == {"client_ids": sorted([ada["id"], bob["id"]]), "clients": 2, "orders": 3}
    early = {"ordered_from": "2026-03-02T00:00:00Z", "ordered_before": "2026-03-05T12:00:00Z"}
    found = (await shop.http.post(path, json=early)).json()
    assert found == {"client_ids": [ada["id"]], "clients": 1, "orders": 2}
    for wrong in (
        {},
        both | early,
        {"ordered_from": early["ordered_from"]},
    ):
        assert_problem(await shop.http.post(path, json=wrong), 422)
    long_ago = {"ordered_from": "2020-01-01T00:00:00Z", "ordered_before": "2020-01-02T00:00:00Z"}
    for nobody in ({"client_ids": [999_999]}, long_ago):
        assert_problem(await shop.http.post(path, json=nobody), 404)
    assert (await shop.http.get("/api/operations")).json()["items"] == []


async def test_a_backfill_is_counted_before_anybody_asks_for_it(shop: Api) -> None:
    """How many rows match now; a condition that Postgres refuses is 422, and nothing is started."""
    client = await shop.client()
    await shop.order(client["id"])
    path = "/api/backfills/preview"
    every = await shop.http.post(path, json={"table": "orders"})
    assert every.json() == {"table": "orders", "rows": 1}
    none = await shop.http.post(path, json={"table": "orders", "where": "client_id = 0"})
    assert none.json() == {"table": "orders", "rows": 0}
    assert_problem(await shop.http.post(path, json={"table": "orders", "where": "status = 1"}), 422)
    assert (await shop.http.get("/api/operations")).json()["items"] == []


async def test_dead_letters_are_counted_and_shown(shop: Api) -> None:
    """Of all topics the counts; of one topic also the letters that wait."""
    every = (await shop.http.get("/api/dead-letters")).json()
    assert {one["topic"] for one in every["topics"]} >= {"client.events", "cdc.public.orders"}
    assert every["letters"] == []
    one = (await shop.http.get("/api/dead-letters", params={"topic": "client.events"})).json()
    assert [counts["waiting"] for counts in one["topics"]] == [0]
    assert_problem(await shop.http.get("/api/dead-letters", params={"topic": "x"}), 404)


async def test_dead_letters_are_listed_page_by_page(shop: Api, kafka: str) -> None:
    """By offset, each that waits once; what was dealt with is left out, and counts come once."""
    topic = CONTROL.name
    producer = Producer({"bootstrap.servers": kafka})
    for number in range(7):
        dealt_with = [(DEALT_WITH, b"1")] if number == 3 else []
        producer.produce(f"{topic}.dlq", str(number), partition=0, headers=dealt_with)
    assert producer.flush(30) == 0
    params: dict[str, Any] = {"topic": topic, "limit": 2}
    pages = [(await shop.http.get("/api/dead-letters", params=params)).json()]
    begin = pages[0]["letters"][0]["offset"]
    while (cursor := pages[-1]["next"]) is not None:
        page = await shop.http.get("/api/dead-letters", params={**params, "cursor": cursor})
        pages.append(page.json())
    found = [[one["offset"] - begin for one in page["letters"]] for page in pages]
    assert found == [[0, 1], [2, 4], [5, 6]]
    assert [[one["waiting"] for one in page["topics"]] for page in pages] == [[6], [], []]
    for wrong in ({"topic": topic, "cursor": "x"}, {"cursor": pages[0]["next"]}, {"limit": 0}):
        assert_problem(await shop.http.get("/api/dead-letters", params=wrong), 422)


async def test_one_of_a_kind_runs_at_a_time_and_tells_how_far_it_is(api: Api) -> None:
    """A second one is refused while the first goes on; another kind is not."""
    runs, held = Runs(api.engine), Held()
    first = await runs.start("what-if", "ada", {"theta": 0.4}, held)
    with pytest.raises(Conflict, match="what-if"):
        await runs.start("what-if", "bob", {}, held)

    async def told() -> Any:
        row = (await api.http.get(f"/api/operations/{first}")).json()
        return row if row["done"] else None

    row = await until(told, LIMIT_S)
    assert (row["state"], row["step"], row["done"], row["total"]) == ("running", "held", 4, 10)
    held.go.set()
    row = await ended(api, first)
    assert (row["state"], row["error"]) == ("done", None)
    assert row["result"]["well"] is True
    again = await runs.start("what-if", "bob", {}, held)
    assert (await ended(api, again))["state"] == "done"
    listed = (await api.http.get("/api/operations", params={"limit": 1})).json()
    assert [one["id"] for one in listed["items"]] == [again]
    assert listed["next"]


async def test_a_what_if_is_followed_without_the_scope_of_operators(api: Api) -> None:
    """Whoever reads policies sees its run under what-ifs, and there no run of another kind."""
    runs, held = Runs(api.engine), Held()
    tried = await runs.start(WHAT_IF, "ana", {"theta": 0.4}, held)
    other = await runs.start("replay", "ada", {}, held)
    held.go.set()
    await ended(api, tried)
    await ended(api, other)
    whole = (await api.http.get(f"/api/operations/{tried}")).json()
    ana = issuer().bearer("policy:read")
    found = await api.http.get(f"/api/what-ifs/{tried}", headers=ana)
    assert (found.status_code, found.json()) == (200, whole)
    assert_problem(await api.http.get(f"/api/what-ifs/{other}", headers=ana), 404)
    assert_problem(await api.http.get(f"/api/what-ifs/{other + 1}", headers=ana), 404)
    assert_problem(await api.http.get(f"/api/operations/{tried}", headers=ana), 403)


RESOURCES = {
    "backfill": ("/api/backfills", "ops:read"),
    "replay": ("/api/replays", "ops:read"),
    "dead-letter-replay": ("/api/dead-letters/replays", "ops:read"),
    "what-if": ("/api/what-ifs", "policy:read"),
}


async def test_runs_are_read_where_they_are_started(api: Api) -> None:
    """Each kind has a list of its own, whose items are those of all runs, and no other's."""
    runs = Runs(api.engine)
    for kind in (*RESOURCES, "erasure", *RESOURCES):
        await ended(api, await runs.start(kind, "ada", {}, lambda watcher: {}))
    every = await api.pages("/api/operations")
    for kind, (path, scope) in RESOURCES.items():
        mine = [row for row in every if row["kind"] == kind]
        assert len(mine) == 2
        assert await api.pages(path, limit=1) == mine
        (other, *_) = [row for row in every if row["kind"] != kind]
        for headers in (None, issuer().bearer(scope)):
            found = await api.http.get(f"{path}/{mine[0]['id']}", headers=headers)
            assert found.json() == mine[0]
            assert_problem(await api.http.get(f"{path}/{other['id']}", headers=headers), 404)
        assert_problem(await api.http.get(path, headers=issuer().bearer("clients:read")), 403)
        assert_problem(await api.http.get(path, params={"cursor": "x"}), 422)


async def test_a_run_whose_server_died_is_marked_failed(
    api: Api, admin: asyncpg.Connection
) -> None:
    """Its row says "running" and nobody holds its lock: the next look marks it."""
    run = await admin.fetchval(
        "INSERT INTO operations (kind, actor, parameters) VALUES ('replay', 'ada', '{}') "
        "RETURNING id"
    )
    row = (await api.http.get(f"/api/operations/{run}")).json()
    assert (row["state"], row["error"]) == ("failed", "interrupted: its server ended")


async def test_a_server_that_stops_breaks_its_runs_off(api: Api) -> None:
    """The work is told at its next step, and the row says why it ended."""
    runs, held = Runs(api.engine), Held()
    run = await runs.start("replay", "ada", {}, held)
    await asyncio.wait_for(runs.stop(), LIMIT_S)
    row = await ended(api, run)
    assert (row["state"], row["error"]) == ("failed", "interrupted: its server ended")
    assert held.interrupted


async def test_an_error_nobody_foresaw_is_on_the_row_without_its_text(api: Api) -> None:
    """The text may hold anything: it is for the log."""

    def work(_: Watcher) -> dict[str, Any]:
        raise ValueError("canary")

    runs = Runs(api.engine)
    row = await ended(api, await runs.start("replay", "ada", {}, work))
    assert row["state"] == "failed"
    assert "canary" not in row["error"]


async def test_runs_are_listed_by_kind(api: Api) -> None:
    """Of one kind, page by page, the latest first; a kind that there is not is 422."""
    runs = Runs(api.engine)
    for kind in ("replay", "backfill", "replay", "what-if", "replay"):
        await ended(api, await runs.start(kind, "ada", {}, lambda watcher: {}))
    every = await api.pages("/api/operations")
    assert [row["kind"] for row in every] == ["replay", "what-if", "replay", "backfill", "replay"]
    found = await api.pages("/api/operations", kind="replay", limit=2)
    assert found == [row for row in every if row["kind"] == "replay"]
    assert await api.pages("/api/operations", kind="erasure") == []
    assert (await api.http.get("/api/operations", params={"kind": "x"})).status_code == 422
