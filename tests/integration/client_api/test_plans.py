"""Every read goes along an index; a list of 200 rows takes as many statements as one of a row."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from bench.api_fill import fill
from client_api.store import figures
from client_api.store.reads import SETTINGS
from client_api.web import cursors
from client_api.web.app import describe
from tests.integration.client_api.serving import Api
from tests.integration.client_api.watching import Statement, statements_of
from tests.servers import Database

CLIENTS = 60_000
"""So many that reading all of the smallest table, the emails, takes longer than a page of it."""
ORDERS_PER_CLIENT = 2
UNSCORED = 20_000
FEW = CLIENTS // 12
"""Rows that may be read at once and sorted: those of one client, of one rare name, of one page."""
SMALL = frozenset({"score_serving", "policies", "daily_figures", "pg_class"})
"""Tables of a row a day or fewer, where reading all of it is the right plan."""
PLAIN = {"sort": ("id", "-id", "score", "-score")}
NO_SCORE = [cursors.encode(sort, None, 5) for sort in ("score", "-score")]

WAITING = f"""
    INSERT INTO clients (first_name, surname)
    SELECT 'New', 'Comer' || g FROM generate_series(1, {UNSCORED}) g
"""
"""Clients who wait for their first score."""
ACTIONS = """
    INSERT INTO operations (kind, actor, parameters, state, finished_at, result)
    SELECT (ARRAY['backfill', 'replay', 'dead-letter-replay', 'what-if', 'erasure'])[1 + g % 5],
           'eve', jsonb_build_object('clients', CASE WHEN g % 5 = 3 THEN to_jsonb(200)
                                                     ELSE jsonb_build_array(g) END),
           'done', now(), CASE WHEN g % 5 = 3 THEN naming_moved(g) END
    FROM generate_series(1, 20000) g;
    INSERT INTO suppressions (address_hash, reason, actor)
    SELECT address_hash('gone-' || g || '@example.org'), 'asked', 'eve'
    FROM generate_series(1, 20000) g;
    INSERT INTO audit (actor, action, subject)
    SELECT 'eve', 'client.updated', 'client/' || g FROM generate_series(1, 20000) g;
    INSERT INTO model_calls (episode_id, attempt, model, outcome, latency_ms, sandbox)
    SELECT id, 1, 'm', 'accepted', 12, true FROM episodes;
    INSERT INTO decisions (episode_id, action, actor, payload)
    SELECT id, 'edit', 'eve', '{"subject": "Hello again"}' FROM episodes;
    INSERT INTO decision_outcomes SELECT id, 'applied', 'as asked' FROM decisions;
    INSERT INTO deliveries (episode_id, message_id, outcome)
    SELECT id, id || '@shop', 'sent' FROM episodes;
    INSERT INTO idempotency_keys (subject, key, route, status, headers, body, client_id)
    SELECT 'eve', 'key-' || id, 'POST /api/clients', 201, '{}', '{}', id FROM clients;
"""
"""What people and the mailer did, row by row."""

RUNS = (
    *("/api/operations", "/api/backfills", "/api/replays", "/api/dead-letters/replays"),
    "/api/what-ifs",
)
OF_KAFKA = {"/api/dead-letters"}
"""Read from a topic, by offset."""
KINDS = {
    "/api/backfills/{backfill_id}": "backfill",
    "/api/replays/{replay_id}": "replay",
    "/api/dead-letters/replays/{replay_id}": "dead-letter-replay",
    "/api/what-ifs/{what_if_id}": "what-if",
    "/api/operations/{operation_id}": "erasure",
}
EPISODE = "{episode_id}"
SINGLE = (
    "/api/clients/{client_id}",
    "/api/clients/{client_id}/score",
    "/api/clients/{client_id}/curve",
    "/api/clients/{client_id}/export",
    "/api/orders/{order_id}",
    "/api/policies/current",
    "/api/policies/{version}",
    "/api/overview",
    "/api/overview/history",
    "/api/effect",
    f"/api/emails/{EPISODE}",
    f"/api/episodes/{EPISODE}",
    *KINDS,
)
"""Everything else that is read from Postgres."""
WHOLE = {
    "/api/stats": "counts the shop",
    "/api/ledger": "adds up the whole ledger",
    "/api/clients/bulk": "streams a table out, page by page of its list",
    "/api/orders/bulk": "streams a table out, page by page of its list",
}
"""What is asked about a whole table, and reads it."""
ELSEWHERE = {"/api/auth", "/api/me", "/api/status", "/api/events", f"/api/emails/{EPISODE}/lineage"}
"""Asked of Kafka, or of nobody; the lineage's rows are those of the email."""

LISTS: dict[str, tuple[str, ...]] = {
    "/api/clients": (
        *(f"sort={sort}" for sort in PLAIN["sort"]),
        *(f"sort={sort}&state=at_risk" for sort in PLAIN["sort"]),
        *(f"sort={sort}&state=no_orders" for sort in PLAIN["sort"]),
        *(f"sort={sort}&state=active&search=An" for sort in PLAIN["sort"]),
        *(f"sort={sort}&search=Barin" for sort in PLAIN["sort"]),
        *(f"sort={sort}&search=a" for sort in PLAIN["sort"]),
        *(f"sort={sort}&search=Nobody+has+it" for sort in ("id", "score")),
        "search=123",
        f"sort=score&cursor={NO_SCORE[0]}",
        f"sort=-score&cursor={NO_SCORE[1]}",
    ),
    "/api/orders": ("", "client_id=77"),
    "/api/emails": (
        *(f"sort={sort}" for sort in ("-value", "-created")),
        *(f"sort={sort}&state=held" for sort in ("-value", "-created")),
        *(f"sort={sort}&client_id=77" for sort in ("-value", "-created")),
        *(f"sort={sort}&client_id=77&state=held" for sort in ("-value", "-created")),
    ),
    "/api/episodes": (
        *(f"sort={sort}" for sort in ("-value", "-created")),
        *(f"sort={sort}&state=held" for sort in ("-value", "-created")),
        *(f"sort={sort}&client_id=77" for sort in ("-value", "-created")),
    ),
    "/api/suppressions": ("",),
    "/api/policies": ("",),
    **dict.fromkeys(RUNS, ("",)),
    "/api/operations": ("", "kind=what-if"),
    "/api/audit": ("", "resource=client/1"),
}
"""Every list with its filters and sorts."""


@pytest.fixture
async def filled(api: Api, database: Database, admin: asyncpg.Connection) -> Api:
    """A shop of some size, with scores of a served day, episodes and emails."""
    await fill(database.admin_url, CLIENTS, ORDERS_PER_CLIENT)
    await admin.execute(WAITING)
    await admin.execute(ACTIONS)
    await admin.execute("ANALYZE")
    return api


def test_every_read_of_the_api_is_known_here() -> None:
    """One that is added must be judged, too."""
    paths = {
        path: operations
        for path, operations in describe().openapi()["paths"].items()
        if "get" in operations and path.startswith("/api/")
    }
    assert paths.keys() == LISTS.keys() | OF_KAFKA | set(SINGLE) | WHOLE.keys() | ELSEWHERE
    lists = {
        path
        for path, operations in paths.items()
        if any(one["name"] == "limit" for one in operations.get("get", {}).get("parameters", []))
    }
    assert lists == LISTS.keys() | OF_KAFKA


async def test_no_list_reads_a_whole_table_or_asks_row_by_row(
    filled: Api, admin: asyncpg.Connection
) -> None:
    """First pages and later ones, under every filter and sort, by the plans of the server."""
    wrong = []
    for path, queries in LISTS.items():
        for query in queries:
            wrong += [f"{path}?{query}: {what}" for what in await _growth(filled, path, query)]
            for statement in await _two_pages(filled, path, query):
                plan = await _plan(admin, statement)
                wrong += [f"{path}?{query}: {what}" for what in _faults(plan)]
    assert not wrong, "\n".join(wrong)


async def test_nothing_single_reads_a_whole_table(filled: Api, admin: asyncpg.Connection) -> None:
    """One client, order, episode, email or run, with all about it; figures that were counted."""
    async with filled.engine.begin() as db:
        assert await figures.count(db, datetime.now(UTC), "USD") is not None
    episode = await admin.fetchval("SELECT id FROM episodes ORDER BY id LIMIT 1")
    runs = {
        path: await admin.fetchval("SELECT max(id) FROM operations WHERE kind = $1", kind)
        for path, kind in KINDS.items()
    }
    client = int(episode.partition("-")[0])
    ids = {"client_id": client, "order_id": client, "version": 1, "episode_id": episode}
    wrong = []
    for path in SINGLE:
        run = dict.fromkeys(
            ("backfill_id", "replay_id", "what_if_id", "operation_id"), runs.get(path)
        )
        with statements_of(filled) as statements:
            answer = await filled.http.get(path.format(**ids, **run))
        assert answer.status_code == 200, (path, answer.text)
        assert statements, path
        for statement in statements:
            if not statement.startswith("SET "):
                plan = await _plan(admin, statement)
                wrong += [f"{path}: {what}" for what in _faults(plan)]
    assert not wrong, "\n".join(wrong)


async def _growth(api: Api, path: str, query: str) -> list[str]:
    """Tell when a page of many rows takes more statements than one of a single row."""
    taken = []
    for limit in (1, 50, 200):
        with statements_of(api) as statements:
            answer = await api.http.get(f"{path}?limit={limit}&{query}")
        assert answer.status_code == 200, answer.text
        taken.append(len(statements))
    # Clients without a score come after those with one, by a statement of their own; before
    # runs are shown, those that nobody runs any more are ended.
    most = 2 if "score" in query or path in RUNS else 1
    return [] if max(taken) <= most else [f"takes {taken} statements"]


async def _two_pages(api: Api, path: str, query: str) -> list[Statement]:
    with statements_of(api) as statements:
        answer = await api.http.get(f"{path}?{query}")
        assert answer.status_code == 200, answer.text
        behind = answer.json()["next"]
        if behind is not None:
            kept = "&".join(part for part in query.split("&") if not part.startswith("cursor="))
            answer = await api.http.get(f"{path}?{kept}&cursor={behind}")
            assert answer.status_code == 200, answer.text
    return statements


async def _plan(admin: asyncpg.Connection, statement: Statement) -> dict[str, Any]:
    """Return the plan for a statement's own values."""
    async with admin.transaction():
        await admin.execute("SET LOCAL ROLE client_api")
        for name, value in SETTINGS.items():
            await admin.execute(f"SET LOCAL {name} = '{value}'")
        found = await admin.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *statement.values)
    plan: dict[str, Any] = json.loads(found)[0]["Plan"]
    return plan


def _faults(plan: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a plan: whole tables that are read, sorted or hashed."""
    table = plan.get("Relation Name")
    if plan["Node Type"] == "Seq Scan" and table not in SMALL:
        yield f"reads all of {table}"
    inner = plan.get("Plans", [])
    if plan["Node Type"] in {"Sort", "Hash"} and max(one["Plan Rows"] for one in inner) > FEW:
        yield f"takes {inner[0]['Plan Rows']} rows into a {plan['Node Type']}"
    for one in inner:
        yield from _faults(one)
