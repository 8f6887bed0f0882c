"""``Idempotency-Key``: a create that is repeated is done once, and answered the same."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.operations.runs import Runs
from client_api.operations.sweeper import Sweeper
from client_api.store import clients as clients_store
from client_api.store import keys
from tests.integration.client_api.serving import Api, assert_problem, until
from tests.integration.client_api.trial import Trial

KEY = {"Idempotency-Key": "6f1c-1"}
KEPT = ("location", "etag", "content-type")


@pytest.fixture
def trial(admin: asyncpg.Connection) -> Trial:
    """An empty shop to fill."""
    return Trial(admin)


async def _policy(api: Api) -> dict[str, Any]:
    found = (await api.http.get("/api/policies/current")).json()
    return {"document": found["document"], "note": "again"}


async def _creates(api: Api, trial: Trial) -> dict[str, dict[str, Any]]:
    """Return a body for each create."""
    [client] = await trial.clients(1)
    [episode] = await trial.begin([client], "draft")
    return {
        "/api/clients": {"id": 900, "first_name": "Ada", "email": "ada@example.com"},
        "/api/orders": {"client_id": client, "amount": "10.00"},
        "/api/decisions": {"episode_id": episode, "action": "reject"},
        "/api/suppressions": {"address": "ada@example.com", "reason": "asked"},
        "/api/policies": await _policy(api),
    }


def assert_same(first: httpx.Response, again: httpx.Response) -> None:
    """Check that an answer is the first one once more, and says so."""
    assert first.is_success, first.text
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    for name in KEPT:
        assert again.headers.get(name) == first.headers.get(name)


async def test_a_repeated_create_is_done_once_and_answered_the_same(
    api: Api, trial: Trial, admin: asyncpg.Connection
) -> None:
    """Every create: status, body and headers of the first answer, and one row."""
    for number, (path, body) in enumerate((await _creates(api, trial)).items()):
        table = path.removeprefix("/api/")
        before = await admin.fetchval(f"SELECT count(*) FROM {table}")
        headers = {"Idempotency-Key": f"key-{number}"}
        first = await api.http.post(path, json=body, headers=headers)
        for _ in range(2):
            assert_same(first, await api.http.post(path, json=body, headers=headers))
        assert await admin.fetchval(f"SELECT count(*) FROM {table}") == before + 1


async def test_an_answer_is_the_first_even_when_the_row_has_changed(api: Api) -> None:
    """A repetition tells what was answered then, under the version of then."""
    body = {"first_name": "Ada"}
    first = await api.http.post("/api/clients", json=body, headers=KEY)
    changed = {"first_name": "Bea"}
    await api.http.patch(f"/api/clients/{first.json()['id']}", json=changed)
    assert_same(first, await api.http.post("/api/clients", json=body, headers=KEY))


async def test_a_key_belongs_to_one_request(api: Api, admin: asyncpg.Connection) -> None:
    """Another body, or another route, under the same key is refused."""
    ada = await api.http.post("/api/clients", json={"first_name": "Ada"}, headers=KEY)
    assert ada.status_code == 201
    answer = await api.http.post("/api/clients", json={"first_name": "Bob"}, headers=KEY)
    problem = assert_problem(answer, 422)
    assert problem["errors"][0]["field"] == "header.idempotency-key"
    order = {"client_id": ada.json()["id"], "amount": "1"}
    assert_problem(await api.http.post("/api/orders", json=order, headers=KEY), 422)
    assert await admin.fetchval("SELECT count(*) FROM clients") == 1
    assert await admin.fetchval("SELECT count(*) FROM orders") == 0


async def test_what_failed_may_be_tried_again_under_its_key(api: Api) -> None:
    """Only success is kept: a refused create leaves its key free."""
    order = {"client_id": 1, "amount": "1"}
    assert_problem(await api.http.post("/api/orders", json=order, headers=KEY), 404)
    assert (await api.client(id=1))["id"] == 1
    first = await api.http.post("/api/orders", json=order, headers=KEY)
    assert_same(first, await api.http.post("/api/orders", json=order, headers=KEY))


@pytest.mark.parametrize("key", ["", "a b", "ä".encode(), "x" * 256])
async def test_an_odd_key_is_refused(api: Api, key: str | bytes) -> None:
    """Keys are 1 to 255 visible ASCII characters."""
    headers = {"Idempotency-Key": key}
    answer = await api.http.post("/api/clients", json={"first_name": "Ada"}, headers=headers)  # type: ignore[arg-type]
    assert_problem(answer, 422)


async def test_requests_at_once_are_one_and_the_others_are_told_so(
    api: Api, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the first is in progress others get 409; then they get its answer."""
    create, begun, go_on = clients_store.create, asyncio.Event(), asyncio.Event()

    async def slowly(db: AsyncConnection, *rest: Any) -> Any:
        row = await create(db, *rest)
        begun.set()
        await go_on.wait()
        return row

    monkeypatch.setattr(clients_store, "create", slowly)
    body = {"first_name": "Ada"}
    sending = asyncio.create_task(api.http.post("/api/clients", json=body, headers=KEY))
    await begun.wait()
    answer = await api.http.post("/api/clients", json=body, headers=KEY)
    assert_problem(answer, 409)
    assert answer.headers["retry-after"] == "1"
    go_on.set()
    first = await sending
    assert_same(first, await api.http.post("/api/clients", json=body, headers=KEY))
    assert await admin.fetchval("SELECT count(*) FROM clients") == 1


async def test_of_many_at_once_exactly_one_is_done(api: Api, admin: asyncpg.Connection) -> None:
    """Whatever the interleaving: one row, and every success is the same answer."""
    body = {"first_name": "Ada"}
    answers = await asyncio.gather(
        *(api.http.post("/api/clients", json=body, headers=KEY) for _ in range(12))
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert await admin.fetchval("SELECT count(*) FROM clients") == 1


async def test_an_erased_client_does_not_live_on_in_kept_answers(
    api: Api, trial: Trial, admin: asyncpg.Connection
) -> None:
    """What answers said of it is blanked with it; a repetition is 410, and brings nobody back."""
    body = {"first_name": "Zebedee", "email": "zebedee@example.com"}
    made = (await api.http.post("/api/clients", json=body, headers=KEY)).json()
    order = {"client_id": made["id"], "amount": "77.77"}
    answer = await api.http.post("/api/orders", json=order, headers={"Idempotency-Key": "o"})
    assert answer.status_code == 201
    [episode] = await trial.begin([made["id"]], "draft")
    wording = {"subject": "Zebedee", "body": "Dear Zebedee, " * 5}
    decision = {"episode_id": episode, "action": "edit", "payload": wording}
    answer = await api.http.post("/api/decisions", json=decision, headers={"Idempotency-Key": "d"})
    assert answer.status_code == 201, answer.text
    await trial.clients(0)
    other = await api.http.post(
        "/api/clients", json={"first_name": "Bob"}, headers={"Idempotency-Key": "b"}
    )
    assert (await api.http.delete(f"/api/clients/{made['id']}")).status_code == 204
    kept = await admin.fetch("SELECT * FROM idempotency_keys WHERE key <> 'b'")
    assert len(kept) == 3
    for row in kept:
        assert (row["body"], row["body_hash"], row["headers"]) == (None, None, "{}")
    repeats = (("/api/clients", body, KEY["Idempotency-Key"]), ("/api/orders", order, "o"))
    for path, sent, key in repeats:
        answer = await api.http.post(path, json=sent, headers={"Idempotency-Key": key})
        assert_problem(answer, 410)
    assert await admin.fetchval("SELECT count(*) FROM clients") == 1
    repeated = await api.http.post(
        "/api/clients", json={"first_name": "Bob"}, headers={"Idempotency-Key": "b"}
    )
    assert repeated.content == other.content


async def test_answers_are_forgotten_after_a_day(api: Api, admin: asyncpg.Connection) -> None:
    """A day later the key is free, and the sweep takes the row away."""
    body = {"first_name": "Ada"}
    old = "UPDATE idempotency_keys SET created_at = created_at - interval '25 hours'"
    first = await api.http.post("/api/clients", json=body, headers=KEY)
    await admin.execute(old)
    second = await api.http.post("/api/clients", json=body, headers=KEY)
    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]
    await admin.execute(old)
    await api.http.post("/api/clients", json=body, headers={"Idempotency-Key": "fresh"})
    assert await Sweeper(api.engine).sweep() == 1
    assert await admin.fetchval("SELECT array_agg(key) FROM idempotency_keys") == ["fresh"]


async def test_callers_have_keys_of_their_own(api: Api, admin: asyncpg.Connection) -> None:
    """The same key of another caller is another key."""
    body = {"first_name": "Ada"}
    first = await api.http.post("/api/clients", json=body, headers=KEY)
    await admin.execute("UPDATE idempotency_keys SET subject = 'somebody else'")
    second = await api.http.post("/api/clients", json=body, headers=KEY)
    assert second.json()["id"] != first.json()["id"]


async def test_a_create_whose_answer_cannot_be_kept_is_not_done(
    api: Api, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Effect and answer are one transaction."""

    async def fail(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(keys, "keep", fail)
    answer = await api.http.post("/api/clients", json={"first_name": "Ada"}, headers=KEY)
    assert_problem(answer, 500)
    assert await admin.fetchval("SELECT count(*) FROM clients") == 0


async def test_a_run_is_started_once(
    api: Api, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is kept with the run's row: a repetition starts nothing, even after its end."""
    started: list[int] = []
    start = Runs.start

    async def noting(runs: Runs, kind: str, actor: str, parameters: Any, _: Any, trail: Any) -> int:
        run = await start(runs, kind, actor, parameters, lambda watcher: {}, trail)
        started.append(run)
        return run

    monkeypatch.setattr(Runs, "start", noting)
    monkeypatch.setattr("client_api.operations.operator.check", lambda *_: None)
    body = {"client_ids": [1, 2]}
    first = await api.http.post("/api/replays", json=body, headers=KEY)
    assert first.status_code == 202, first.text
    assert first.headers["location"] == f"/api/replays/{started[0]}"
    await until(lambda: admin.fetchval("SELECT count(*) FROM operations WHERE state = 'done'"))
    assert_same(first, await api.http.post("/api/replays", json=body, headers=KEY))
    assert len(started) == 1
