"""All that is kept about one client: whole rows, of every table, and nobody else's."""

import json
from typing import Any

import asyncpg
import pytest

from client_api.shapes.reports import ClientExport
from client_api.store.exports import MONEY, ROWS
from client_api.store.places import PLACES, TABLES
from common.topics import TOPICS
from tests.integration.client_api.serving import Api, assert_problem
from tests.spans import SAMPLED

NOT_OF_CLIENTS = {
    "bulk_chunks",
    "alembic_version",
    "cdc_heartbeat",
    "cdc_signals",
    # An index in all but name: the ids of the clients that are not in score_features.
    "clients_unscored",
    "daily_figures",
    "policies",
    "score_serving",
}
"""Tables that say nothing of any client. A new table belongs here, or into the export."""

TOPICS_NOT_OF_CLIENTS = {
    "cdc.public.policies",
    "cdc.public.cdc_heartbeat",
    "cdc.public.cdc_signals",
    "cdc.notifications",
    "__debezium-heartbeat.cdc",
    "scorer.control",
}

OTHERS = """
SELECT scores_open_day('2026-03-01');
UPDATE score_serving SET as_of = '2026-03-01';
INSERT INTO scores SELECT '2026-03-01', id, 0.25, 'at_risk' FROM clients;
INSERT INTO score_features SELECT id, 1, 9, 3, 1, 1.5, 20, 2, '2026-01-01', '2026-01-09', 0.3, 0.33,
    '2026-02-01', '2026-07-09', NULL, '[["client", 9]]', '2026-03-01Z' FROM clients;
INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day, crossing_day,
    opened_as_of, score, value_at_risk, policy_version, event)
SELECT id || '-20000', id, 'sent', 'because', 'mailer', '2026-01-01', '2026-02-01', '2026-02-02Z',
    0.25, 1, 1, json_build_object('client_id', id, 'note', 'evidence')::jsonb FROM clients;
INSERT INTO episode_history (episode_id, from_state, to_state, reason, actor)
SELECT id, NULL, 'pending', 'first', 'mailer' FROM episodes
UNION ALL SELECT id, 'pending', 'sent', 'at once', 'mailer' FROM episodes;
INSERT INTO emails (episode_id, client_id, subject, body, facts_used, draft_hash, prompt_version,
    prompt_hash, model, provider, generation_id, sandbox)
SELECT id, client_id, 'Hello', 'Dear ' || client_id, '[]', 'd', 'p', 'h', 'm', 'pr', 'g', true
FROM episodes;
INSERT INTO model_calls (episode_id, attempt, model, outcome, latency_ms, sandbox)
SELECT id, 1, 'm', 'accepted', 12, true FROM episodes;
INSERT INTO decisions (episode_id, action, actor, payload)
SELECT id, 'edit', 'eve', '{"subject": "Hello again"}' FROM episodes;
INSERT INTO decision_outcomes SELECT id, 'applied', 'as asked' FROM decisions;
INSERT INTO deliveries (episode_id, message_id, outcome) SELECT id, id || '@shop', 'sent'
FROM episodes;
INSERT INTO suppressions SELECT address_hash(email), 'asked', 'eve' FROM clients;
INSERT INTO audit (actor, action, subject)
SELECT 'eve', 'suppression.added', 'address/' || address_hash(email) FROM clients
UNION ALL SELECT 'eve', 'client.unsubscribed', 'client/' || id FROM clients;
INSERT INTO operations (kind, actor, parameters, state, finished_at, result, error)
SELECT 'replay', 'eve', '{"clients": [1, 2, 777001]}'::jsonb, 'failed', now(), NULL::jsonb,
    'no lane tells of 777001'
UNION ALL SELECT 'what-if', 'eve', '{"clients": 1, "policy": {}}', 'done', now(),
    '{"what_if": {"moved": [{"client_id": 777001, "score_before": 0.77}]}}', NULL
UNION ALL SELECT 'what-if', 'eve', '{"clients": 100, "policy": {}}', 'done', now(),
    '{"what_if": {"moved": [{"client_id": 777001, "score_before": 0.77},
                            {"client_id": 1, "score_before": 0.5}]}}', NULL
UNION ALL SELECT 'erasure', 'eve', '{"clients": [777001]}', 'done', now(),
    '{"clients": [777001]}', NULL;
"""


@pytest.fixture
async def shop(api: Api, admin: asyncpg.Connection) -> Api:
    """Two clients with two orders each and something in every table."""
    for name in ("Ada", "Bob"):
        answer = await api.http.post(
            "/api/clients",
            json={
                "first_name": name,
                "email": f"{name}@example.com",
                "address": '12 "Quoted" Lane\n€',
                "style_tags": ["jazz"],
            },
            headers={"Idempotency-Key": f"key-{name}"},
        )
        client = answer.json()
        for amount in ("0.10", "12345678901234.56"):
            await api.order(client["id"], amount=amount, ordered_at="2026-01-01T10:00:00Z")
    await admin.execute(OTHERS)
    return api


async def export(api: Api, client_id: int) -> dict[str, Any]:
    """Export a client as a caller does."""
    answer = await api.http.get(f"/api/clients/{client_id}/export")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    name = f"client-{client_id}.json"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["cache-control"] == "no-store"
    ClientExport.model_validate_json(answer.content)
    found: dict[str, Any] = json.loads(answer.content, parse_float=str)
    return found


async def rows(admin: asyncpg.Connection, query: str) -> list[Any]:
    """Return rows as Postgres writes them in JSON, but for the traces of those who wrote them.

    Numbers with decimal places are texts, digit by digit.
    """
    asked = await admin.fetch(f"SELECT row_to_json(r)::text FROM {query}")
    found = [json.loads(row[0], parse_float=str) for row in asked]
    for one in found:
        one.pop("traceparent", None)
    return found


async def test_the_export_holds_every_row_of_the_client_and_no_other(
    shop: Api, admin: asyncpg.Connection
) -> None:
    """Table by table the same rows, with every column; the other client is nowhere."""
    found = await export(shop, 1)
    (client,) = await rows(admin, "clients r WHERE id = 1")
    assert found["client"] == client
    assert client["address"] == '12 "Quoted" Lane\n€'
    hashed = await admin.fetchval("SELECT address_hash(email) FROM clients WHERE id = 1")
    expected = {
        name: await rows(admin, f"{name} r WHERE client_id = 1 ORDER BY 1")
        for name in ("orders", "score_features", "scores", "episodes", "emails")
    }
    for name in ("episode_history", "model_calls", "decisions", "deliveries"):
        expected[name] = await rows(admin, f"{name} r WHERE episode_id = '1-20000' ORDER BY id")
    expected["decision_outcomes"] = await rows(
        admin,
        "decision_outcomes r JOIN decisions d ON d.id = decision_id AND episode_id = '1-20000'",
    )
    expected["suppressions"] = await rows(admin, f"suppressions r WHERE address_hash = '{hashed}'")
    expected["audit"] = await rows(
        admin, f"audit r WHERE subject IN ('client/1', 'address/{hashed}') ORDER BY id"
    )
    runs = [(run["kind"], run["parameters"], run["moved"]) for run in found["operations"]]
    assert runs == [
        ("replay", {"clients": [1]}, []),
        ("what-if", {"clients": 100, "policy": {}}, [{"client_id": 1, "score_before": "0.5"}]),
    ]
    (kept,) = found["idempotency_keys"]
    assert (kept["key"], json.loads(kept["body"])["id"]) == ("key-Ada", 1)
    for name, of_table in expected.items():
        assert found[name] == of_table, name
        assert of_table, name
    assert {*expected, "operations", "idempotency_keys"} == ROWS.keys()
    assert "777001" not in json.dumps(found)
    assert "Bob" not in json.dumps(found)
    assert "2-20000" not in json.dumps(found)


async def test_exact_amounts_are_decimal_strings(shop: Api, admin: asyncpg.Connection) -> None:
    """No reader's floating point comes between: every column of exact numbers is named."""
    answer = await shop.http.get("/api/clients/1/export")
    amounts = {order["amount"] for order in answer.json()["orders"]}
    assert amounts == {"0.10", "12345678901234.56"}
    exact: dict[str, set[str]] = {}
    for table, column in await admin.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'numeric'"
    ):
        exact.setdefault(table, set()).add(column)
    exported = {table: columns for table, columns in exact.items() if table in TABLES}
    assert {table: set(columns) for table, columns in MONEY.items()} == exported


async def test_traces_of_requests_are_no_part_of_an_export(
    shop: Api, admin: asyncpg.Connection
) -> None:
    """In which trace a row was written says something of the writer, and nothing of the client."""
    async with admin.transaction():
        await admin.execute(f"SET LOCAL engage.traceparent = '{SAMPLED}'")
        await admin.execute("UPDATE clients SET surname = 'Lovelace' WHERE id = 1")
        await admin.execute("UPDATE orders SET amount = amount + 1 WHERE client_id = 1")
    await admin.execute(f"UPDATE episodes SET traceparent = '{SAMPLED}'")
    traced = "SELECT count(*) FROM clients JOIN orders USING (traceparent)"
    assert await admin.fetchval(traced) == 2

    found = await export(shop, 1)
    assert found["client"]["surname"] == "Lovelace"
    assert "traceparent" not in json.dumps(found)
    assert SAMPLED not in json.dumps(found)


async def test_the_audit_says_who_took_it_and_so_does_the_document(
    shop: Api, admin: asyncpg.Connection
) -> None:
    """The note is committed with the export and part of it."""
    found = await export(shop, 1)
    (noted,) = await rows(admin, "audit r WHERE action = 'client.exported'")
    assert (noted["actor"], noted["subject"]) == ("tester", "client/1")
    assert found["audit"][-1] == noted


async def test_an_unknown_client_is_not_found_and_leaves_no_trace(
    api: Api, admin: asyncpg.Connection
) -> None:
    """404, and again after asking: the question itself makes nobody known."""
    for _ in range(2):
        answer = await api.http.get("/api/clients/7/export")
        assert_problem(answer, 404)
    assert await admin.fetchval("SELECT count(*) FROM audit") == 0


async def test_what_is_left_of_an_erased_client_can_be_taken_away(
    shop: Api, admin: asyncpg.Connection
) -> None:
    """The row and the orders are gone; episodes without content and the audit are shown."""
    answer = await shop.http.delete("/api/clients/1")
    assert answer.status_code == 204, answer.text
    found = await export(shop, 1)
    assert (found["client"], found["orders"], found["scores"]) == (None, [], [])
    assert [episode["id"] for episode in found["episodes"]] == ["1-20000"]
    assert {"client.erased", "client.exported"} <= {entry["action"] for entry in found["audit"]}


async def test_a_long_history_is_exported_whole(api: Api, admin: asyncpg.Connection) -> None:
    """Far more orders than are kept in memory at once, each there once and in order."""
    await api.client()
    number = 30_000
    await admin.execute(
        "INSERT INTO orders (client_id, ordered_at, amount)"
        " SELECT 1, timestamptz '2020-01-01' + g * interval '1 hour', g"
        f" FROM generate_series(1, {number}) g"
    )
    found = await export(api, 1)
    assert [order["amount"] for order in found["orders"]] == [
        f"{n}.00" for n in range(1, number + 1)
    ]


async def test_no_table_is_forgotten(admin: asyncpg.Connection) -> None:
    """Every table is exported, or named here as one that says nothing of a client."""
    tables = await admin.fetch(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
        " AND relnamespace = 'public'::regnamespace"
    )
    assert {"clients", *ROWS} == TABLES.keys()
    assert {row["relname"] for row in tables} == TABLES.keys() | NOT_OF_CLIENTS


def test_no_topic_is_forgotten() -> None:
    """Every topic is named among the places, or here as one that says nothing of a client."""
    said = " ".join(str(place["place"]) for place in PLACES)
    words = set(said.replace(",", " ").split())
    missing = {
        topic.name
        for topic in TOPICS
        if topic.name not in words and topic.name.removesuffix(".dlq") not in TOPICS_NOT_OF_CLIENTS
    }
    assert missing == set()
