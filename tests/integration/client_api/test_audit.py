"""Every write leaves one entry of who, what and when, in the write's own transaction."""

import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from client_api.operations import operator
from client_api.web.app import describe
from client_api.web.openapi import document
from engage.settings import Settings as EngageSettings
from tests.integration.client_api.serving import Api, assert_problem, running_api
from tests.servers import Database
from tests.tokens import issuer

NDJSON = {"Content-Type": "application/x-ndjson"}
HASH = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"
"""Of test@example.com."""
EPISODE = """
INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day, crossing_day,
    opened_as_of, score, value_at_risk, policy_version, event)
VALUES ('1-20000', 1, 'held', 'r', 'mailer', '2026-01-01', '2026-02-01', now(), 0.2, 1, 1, '{}')
"""

Request = tuple[str, str, dict[str, Any]]
"""Method, path with its values, and what else the request carries."""

WRITES: dict[tuple[str, str], tuple[Request, str, str]] = {
    ("post", "/api/clients"): (
        ("POST", "/api/clients", {"json": {"first_name": "Canarina"}}),
        "client.created",
        "client/",
    ),
    ("patch", "/api/clients/{client_id}"): (
        ("PATCH", "/api/clients/1", {"json": {"surname": "Canary"}}),
        "client.updated",
        "client/1",
    ),
    ("post", "/api/orders"): (
        ("POST", "/api/orders", {"json": {"client_id": 1, "amount": "10.00"}}),
        "order.created",
        "order/",
    ),
    ("patch", "/api/orders/{order_id}"): (
        ("PATCH", "/api/orders/1", {"json": {"amount": "11.00"}}),
        "order.updated",
        "order/1",
    ),
    ("delete", "/api/orders/{order_id}"): (
        ("DELETE", "/api/orders/1", {}),
        "order.deleted",
        "order/1",
    ),
    ("post", "/api/clients/bulk"): (
        ("POST", "/api/clients/bulk", {"content": b'{"first_name": "Canarina"}\n'}),
        "clients.loaded",
        "clients",
    ),
    ("post", "/api/orders/bulk"): (
        ("POST", "/api/orders/bulk", {"content": b'{"client_id": 1, "amount": "1.00"}\n'}),
        "orders.loaded",
        "orders",
    ),
    ("post", "/api/decisions"): (
        ("POST", "/api/decisions", {"json": {"episode_id": "1-20000", "action": "release"}}),
        "decision.made",
        "episode/1-20000",
    ),
    ("post", "/api/suppressions"): (
        (
            "POST",
            "/api/suppressions",
            {"json": {"address": "test@example.com", "reason": "Canarina asked"}},
        ),
        "suppression.added",
        f"address/{HASH}",
    ),
    ("delete", "/api/suppressions/{address_hash}"): (
        ("DELETE", f"/api/suppressions/{HASH}", {}),
        "suppression.lifted",
        f"address/{HASH}",
    ),
    ("post", "/api/policies"): (("POST", "/api/policies", {}), "policy.published", "policy/"),
    ("post", "/api/replays"): (
        ("POST", "/api/replays", {"json": {"client_ids": [1]}}),
        "run.started",
        "operation/",
    ),
    ("post", "/api/backfills"): (
        ("POST", "/api/backfills", {"json": {"table": "orders"}}),
        "run.started",
        "operation/",
    ),
    ("post", "/api/dead-letters/replays"): (
        ("POST", "/api/dead-letters/replays", {"json": {"topic": "client.events"}}),
        "run.started",
        "operation/",
    ),
    ("post", "/api/what-ifs"): (
        ("POST", "/api/what-ifs", {"json": {"policy": {}}}),
        "run.started",
        "operation/",
    ),
    # Last, since it takes the client away.
    ("delete", "/api/clients/{client_id}"): (
        ("DELETE", "/api/clients/1", {}),
        "client.erased",
        "client/1",
    ),
}


def writes_of_the_document() -> set[tuple[str, str]]:
    """Return all operations that write: all but reads and previews, which leave nothing."""
    return {
        (method, path)
        for path, methods in document(describe())["paths"].items()
        for method in methods
        if method != "get" and not path.endswith("/preview")
    }


async def entries(admin: asyncpg.Connection, answer: Any) -> list[asyncpg.Record]:
    """Return the entries of the request that was answered."""
    request = UUID(answer.headers["x-request-id"])
    return await admin.fetch("SELECT * FROM audit WHERE request_id = $1", request)


@pytest.fixture
def checked_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs begin as if the lanes had been looked at: there is no broker here, and they fail."""
    for module, name in (
        *((operator, "check"), (operator, "in_force"), (operator, "read_policies")),
        *((operator.backfill, "plan"), (operator.dlq, "source_of"), (operator, "laid_over")),
    ):
        monkeypatch.setattr(module, name, lambda *_, **__: None)


async def test_every_write_of_the_document_leaves_one_entry(
    database: Database, admin: asyncpg.Connection, checked_beforehand: None
) -> None:
    """Who, what, which resource, which request; a route without one fails here."""
    assert writes_of_the_document() == WRITES.keys()
    where = EngageSettings(kafka_bootstrap_servers="127.0.0.1:9", connect_url="http://127.0.0.1:9")
    async with running_api(database.client_api_url, engage=where) as api:
        await api.client(id=1)
        await api.order(1, id=1)
        await admin.execute(EPISODE)
        rules = (await api.http.get("/api/policies/current")).json()["document"]
        for (_, route), ((method, path, sent), action, resource) in WRITES.items():
            more: dict[str, Any] = {}
            if "content" in sent:
                more = {"headers": NDJSON}
            if action == "policy.published":
                more = {"json": {"document": rules, "note": "Canarina"}}
            answer = await api.http.request(method, path, **sent, **more)
            assert answer.is_success, (route, answer.text)
            found = await entries(admin, answer)
            assert len(found) == 1, route
            (entry,) = found
            assert (entry["actor"], entry["action"]) == ("tester", action)
            assert entry["subject"].startswith(resource)
            assert entry["request"] == f"{method} {route}"
            if answer.content and "version" in answer.json():
                assert entry["version"] == answer.json()["version"]
        kept = await admin.fetchval("SELECT json_agg(a)::text FROM audit a")
        assert "anar" not in kept
        assert "example.com" not in kept


async def test_what_was_not_written_leaves_no_entry(api: Api, admin: asyncpg.Connection) -> None:
    """Refused, not allowed, not found, or only read: nothing was done, so nothing is noted."""
    ana = issuer().bearer("clients:read")
    refused = (
        await api.http.post("/api/clients", json={"first_name": ""}),
        await api.http.post("/api/clients", json={"first_name": "Ada"}, headers=ana),
        await api.http.post("/api/orders", json={"client_id": 7, "amount": "1.00"}),
        await api.http.delete("/api/clients/7"),
        await api.http.get("/api/clients"),
        await api.http.post("/api/clients/bulk", content=b"{}\n", headers=NDJSON),
    )
    assert [answer.status_code for answer in refused] == [422, 403, 404, 404, 200, 200]
    assert await admin.fetchval("SELECT count(*) FROM audit") == 0


async def test_an_entry_and_its_write_are_never_apart(api: Api, admin: asyncpg.Connection) -> None:
    """What cannot be noted is not done."""
    await admin.execute(
        """CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN RAISE EXCEPTION 'no room'; END $$;
           CREATE TRIGGER full_disk BEFORE INSERT ON audit
           FOR EACH ROW EXECUTE FUNCTION full_disk()"""
    )
    assert_problem(await api.http.post("/api/clients", json={"first_name": "Ada"}), 500)
    assert await admin.fetchval("SELECT count(*) FROM clients") == 0


async def test_the_audit_is_read_page_by_page_and_by_resource(api: Api) -> None:
    """The latest first, each once; of one resource alone when it is named."""
    for _ in range(3):
        await api.client()
    await api.http.patch("/api/clients/2", json={"surname": "B"})
    rows = await api.pages("/api/audit", limit=2)
    assert [row["action"] for row in rows] == ["client.updated", *["client.created"] * 3]
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    second = await api.pages("/api/audit", resource="client/2")
    assert [row["resource"] for row in second] == ["client/2", "client/2"]
    assert second[0]["request"] == "PATCH /api/clients/{client_id}"
    headers = issuer().bearer("clients:read", "pii:read")
    assert_problem(await api.http.get("/api/audit", headers=headers), 403)


async def test_nobody_changes_the_audit(database: Database, api: Api) -> None:
    """The API's own role may add to it and read it, no more."""
    await api.client()
    connection = await asyncpg.connect(database.client_api_url)
    try:
        for statement in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_the_log_names_the_request_and_nobody(
    api: Api, capfd: pytest.CaptureFixture[str]
) -> None:
    """An entry of the audit is found in the log by the request's id."""
    answer = await api.http.post("/api/clients", json={"first_name": "Canarina"})
    logged = capfd.readouterr()
    assert answer.headers["x-request-id"] in logged.out + logged.err
    assert "anarina" not in logged.out + logged.err
    assert json.dumps("Tess Tester") not in logged.out + logged.err
