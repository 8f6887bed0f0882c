"""An analyst sees figures, states and ids of everyone, and the name or address of nobody."""

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import asyncpg
import pytest
from confluent_kafka import Producer
from pydantic import SecretStr

from client_api.live.postgres_feed import PostgresFeed
from client_api.web.app import describe
from client_api.web.openapi import document
from engage.settings import Settings
from tests.integration.client_api.serving import Api, assert_problem, running_api
from tests.servers import PARTITIONS, Database
from tests.tokens import issuer

ANALYST = issuer().bearer("clients:read", "emails:read", "policy:read", "ops:read")
CANARY = "anary"
"""Part of everything personal here."""
PERSON = {
    "first_name": "Canaryna",
    "surname": "Canarysson",
    "email": "canary@example.com",
    "phone": "canary 123",
    "address": "Canary Street 1",
}
FILL = """
INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day, crossing_day,
    opened_as_of, score, value_at_risk, policy_version, event)
VALUES ('1-20000', 1, 'draft', 'drafted', 'mailer', '2026-01-01', '2026-02-01', now(), 0.2, 1, 1,
        '{}');
INSERT INTO episode_history (episode_id, from_state, to_state, reason, actor)
VALUES ('1-20000', NULL, 'pending', 'fell at risk', 'mailer');
INSERT INTO emails (episode_id, client_id, subject, body, facts_used, model, provider,
    generation_id, prompt_version, prompt_hash, draft_hash, sandbox)
VALUES ('1-20000', 1, 'Canaryna, hello', 'Dear Canaryna', '["Canaryna likes jazz"]', 'm', 'p', 'g',
        '1', 'h', 'd', true);
INSERT INTO decisions (episode_id, action, actor, payload)
VALUES ('1-20000', 'edit', 'olivia', '{"subject": "Canaryna", "body": "Canary"}'),
       ('1-20000', 'reject', 'olivia', '{"reason": "Canary words"}');
INSERT INTO decision_outcomes (decision_id, outcome, reason, difference)
SELECT id, 'applied', 'edited', '-Canaryna' FROM decisions;
INSERT INTO suppressions (address_hash, reason, actor)
VALUES (address_hash('canary@example.com'), 'Canaryna called', 'olivia');
"""
HASH = sha256(b"canary@example.com").hexdigest()
PARKED = b'{"nickname": "Canaryna", "after": {"id": 42, "note": "canary"}}'
OPEN = {"/livez", "/readyz"}
STREAMED = {"/api/events"}
IDS = (
    *("client_id", "order_id", "version"),
    *("operation_id", "what_if_id", "backfill_id", "replay_id"),
)
LETTERS = "/api/dead-letters?topic=client.events"


@pytest.fixture
async def told(database: Database, kafka: str, admin: asyncpg.Connection) -> AsyncIterator[Api]:
    """A client with a name, an address and an email; a suppressed address; a dead letter."""
    settings = Settings(
        kafka_bootstrap_servers=kafka,
        topic_partitions=PARTITIONS,
        engage_database_url=SecretStr(database.engage_url),
    )
    async with running_api(database.client_api_url, engage=settings) as api:
        await api.client(id=1, **PERSON)
        await api.order(1, id=1)
        await admin.execute(FILL)
        yield api


@pytest.fixture(scope="module", autouse=True)
def parked(kafka: str) -> None:
    """A record that no reader could use, with a name in its value, its key and its headers."""
    producer = Producer({"bootstrap.servers": kafka})
    headers: list[tuple[str, str | bytes | None]] = [("reason", b"not_json"), ("by", b"Canaryna")]
    producer.produce("client.events.dlq", PARKED, b"canary@example.com", 0, headers=headers)
    assert producer.flush(30) == 0


def every_get() -> list[str]:
    """Return the path of every read of the document, with the ids of what is there."""
    ids = dict.fromkeys(IDS, "1")
    ids["episode_id"] = "1-20000"
    return [
        path.format(**ids)
        for path, methods in document(describe())["paths"].items()
        if "get" in methods and path not in OPEN | STREAMED
    ] + [LETTERS]


async def test_no_read_tells_an_analyst_who_anybody_is(told: Api) -> None:
    """Every GET of the document over a database full of canaries; the same one knows them all."""
    seen = ""
    for path in every_get():
        answer = await told.http.get(path, headers=ANALYST)
        assert CANARY not in answer.text.lower(), path
        assert HASH not in answer.text, path
        assert answer.status_code in {200, 403, 404}, (path, answer.text)
        seen += (await told.http.get(path)).text
    words = ("Canaryna, hello", "Dear Canaryna", "Canary words", "Canaryna called", "nickname")
    for word in (*PERSON.values(), *words, HASH):
        assert word in seen, word


async def test_a_dead_letter_says_that_it_is_masked_and_keeps_its_ids(told: Api) -> None:
    """Who operates without reading names still sees what it was about, and why it was parked."""
    letter = (await told.http.get(LETTERS, headers=ANALYST)).json()["letters"][0]
    assert letter["masked"] is True
    assert letter["headers"] == {"reason": "not_json", "attempt": "1"}
    assert letter["key"] == "•••"
    assert letter["value"] == {"•••": "•••", "after": {"id": 42, "•••": "•••"}}
    full = (await told.http.get(LETTERS)).json()["letters"][0]
    assert (full["masked"], full["key"]) == (False, "canary@example.com")
    assert full["value"] == json.loads(PARKED)


async def test_no_cursor_tells_whose_address_is_suppressed(told: Api) -> None:
    """A cursor can be read by whoever has it, so it holds no hash."""
    writer = issuer().bearer("emails:read", "emails:approve")
    body = {"address": "other@example.com", "reason": "asked by phone"}
    made = await told.http.post("/api/suppressions", json=body, headers=writer)
    assert (made.status_code, made.json()["address_hash"]) == (201, "•••")
    params = {"limit": 1}
    page = (await told.http.get("/api/suppressions", params=params, headers=ANALYST)).json()
    assert page["items"][0]["masked"] is True
    told_by = b64decode(page["next"] + "==", altchars=b"-_")
    assert sha256(b"other@example.com").hexdigest().encode() not in told_by
    assert (await told.http.get("/api/audit", headers=ANALYST)).json()["items"][0][
        "resource"
    ] == "address/•••"


async def test_masked_rows_say_so_and_keep_the_rest(told: Api) -> None:
    """Strings become dots, null stays null, and the row says that it is masked."""
    row = (await told.http.get("/api/clients/1", headers=ANALYST)).json()
    assert {row[name] for name in PERSON} == {"•••"}
    assert row["masked"] is True
    full = (await told.http.get("/api/clients/1")).json()
    assert full["masked"] is False
    kept = row.keys() - PERSON.keys() - {"masked"}
    assert {name: row[name] for name in kept} == {name: full[name] for name in kept}
    email = (await told.http.get("/api/emails/1-20000", headers=ANALYST)).json()
    assert (email["email"]["subject"], email["email"]["model"]) == ("•••", "m")
    assert {one["masked"] for one in email["decisions"]} == {True}
    bare = await told.client(id=2)
    assert bare["surname"] is None
    assert (await told.http.get("/api/clients/2", headers=ANALYST)).json()["surname"] is None


async def test_who_writes_without_reading_names_gets_none_back(told: Api) -> None:
    """The answer of a write is masked as any other."""
    writer = issuer().bearer("clients:write")
    answer = await told.http.patch("/api/clients/1", json={"consent": False}, headers=writer)
    assert answer.status_code == 200
    assert CANARY not in answer.text.lower()
    assert answer.json()["masked"] is True
    made = await told.http.post("/api/clients", json=PERSON, headers=writer)
    assert made.status_code == 201
    assert CANARY not in made.text.lower()


async def test_names_cannot_be_searched_for_and_ids_can(told: Api) -> None:
    """Who may not read names may not guess them either."""
    asked: dict[str, Any] = {"search": "Canar"}
    answer = await told.http.get("/api/clients", params=asked, headers=ANALYST)
    assert_problem(answer, 403)
    assert 'scope="pii:read"' in answer.headers["www-authenticate"]
    assert (await told.http.get("/api/clients", params=asked)).json()["items"]
    by_id = await told.http.get("/api/clients", params={"search": "1"}, headers=ANALYST)
    assert [row["id"] for row in by_id.json()["items"]] == [1]


async def test_a_stream_tells_no_names(told: Api, database: Database) -> None:
    """What the event stream says of an email is its id, its client's and its state."""
    feeds = (lambda hub: PostgresFeed(SecretStr(database.client_api_url), hub, lambda _: None),)
    async with (
        asyncio.timeout(30),
        running_api(database.client_api_url, feeds=feeds) as api,
        api.http.stream("GET", "/api/events", headers=ANALYST) as answer,
    ):
        lines = answer.aiter_lines()
        await anext(lines)
        owner = await asyncpg.connect(database.admin_url)
        try:
            await owner.execute("UPDATE episodes SET state = 'written' WHERE id = '1-20000'")
        finally:
            await owner.close()
        async for line in lines:
            if line.startswith("data: {"):
                assert json.loads(line.removeprefix("data: ")) == {
                    "episode_id": "1-20000",
                    "client_id": 1,
                    "state": "written",
                }
                break
