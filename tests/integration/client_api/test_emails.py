"""Episodes, emails, decisions, policies and counts over HTTP."""

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from common.policy import ShopPolicy
from tests.integration.client_api.serving import Api, assert_problem

WORDS = {
    "subject": "Hello",
    "body": "We miss you, and the shop does, too: come and see us again soon.",
}
EPISODES = """
INSERT INTO clients (first_name) VALUES ('Ada'), ('Bob');
INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day, crossing_day,
    opened_as_of, score, value_at_risk, policy_version, event, created_at)
SELECT 1 + g % 3 || '-' || g, 1 + g % 3,
    (ARRAY['held', 'written', 'failed'])[1 + g % 3], 'because', 'mailer',
    '2026-01-01', '2026-02-01', '2026-02-02T00:00:00Z', 0.25, g % 4, 1, '{"evidence": []}',
    timestamptz '2026-02-03' + g % 5 * interval '1 hour'
FROM generate_series(10000, 10019) g;
INSERT INTO emails SELECT id, client_id, 'Hello', 'We miss you', '[]', 'd1', 'p1', 'ph', 'm', 'pr',
    'gen-1', true FROM episodes WHERE state = 'written';
INSERT INTO episode_history (episode_id, from_state, to_state, reason, actor)
SELECT id, NULL, 'held', 'first', 'mailer' FROM episodes;
INSERT INTO model_calls (episode_id, attempt, model, outcome, latency_ms, sandbox, cost_usd)
SELECT id, 1, 'm', 'ok', 12, true, 0.000125 FROM episodes WHERE state = 'written';
"""


@pytest.fixture
async def filled(api: Api, admin: asyncpg.Connection) -> Api:
    """Twenty episodes in three states; the third client is erased."""
    await admin.execute(EPISODES)
    return api


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("-value", lambda row: float(row["value_at_risk"]["amount"])),
        ("-created", lambda row: row["created_at"]),
    ],
    ids=["value", "created"],
)
@pytest.mark.parametrize("limit", [1, 6, 200])
async def test_pages_cover_every_episode_once_in_order(
    filled: Api, sort: str, key: Callable[[dict[str, Any]], Any], limit: int
) -> None:
    """Most valuable or newest first, each once, whatever the page size."""
    rows = await filled.pages("/api/emails", sort=sort, limit=limit)
    assert len({row["episode_id"] for row in rows}) == len(rows) == 20
    keys = [key(row) for row in rows]
    assert keys == sorted(keys, reverse=True)
    held = await filled.pages("/api/emails", sort=sort, limit=2, state="held")
    assert held == [row for row in rows if row["state"] == "held"]
    of_one = await filled.pages("/api/emails", sort=sort, limit=2, client_id=1)
    assert of_one == [row for row in rows if row["client_id"] == 1]


async def test_a_row_shows_its_email_and_whom_it_is_for(filled: Api) -> None:
    """An episode has its text once written, and no name once the client is erased."""
    rows = await filled.pages("/api/emails")
    for row in rows:
        assert (row["email"] is not None) == (row["state"] == "written")
        assert row["first_name"] == {1: "Ada", 2: "Bob", 3: None}[row["client_id"]]
    email = next(row["email"] for row in rows if row["email"])
    assert (email["subject"], email["sandbox"], email["draft_hash"]) == ("Hello", True, "d1")


async def test_a_decision_is_recorded_and_shown_until_and_after_it_is_applied(
    filled: Api, admin: asyncpg.Connection
) -> None:
    """The mailer is told by a row; its outcome shows beside the decision."""
    episode = (await filled.pages("/api/emails", state="written"))[0]["episode_id"]
    body = {"episode_id": episode, "action": "reject", "draft_hash": "d1"}
    made = await filled.made("/api/decisions", body)
    assert (made["outcome"], made["payload"]) == (None, {})
    await admin.execute("INSERT INTO decision_outcomes VALUES ($1, 'refused', 'stale')", made["id"])
    shown = (await filled.http.get(f"/api/emails/{episode}")).json()
    assert shown["decisions"] == [{**made, "outcome": "refused", "outcome_reason": "stale"}]
    assert shown["history"][0]["to_state"] == "held"
    assert shown["calls"][0]["cost"] == {"amount": "0.000125", "currency": "USD"}
    assert shown["evidence"] == {"evidence": []}
    assert shown["email"]["body"] == "We miss you"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"episode_id": "9-9"}, 404),
        ({"episode_id": "nine"}, 422),
        ({"action": "erase"}, 422),
        ({"actor": "eve"}, 422),
        ({"payload": None}, 422),
        ({"payload": {"sent": True}}, 422),
        ({"action": "resolve"}, 422),
        ({"action": "resolve", "payload": {"sent": 1}}, 422),
        ({"action": "resolve", "payload": {"sent": True, "note": "x"}}, 422),
        ({"action": "resolve", "payload": WORDS}, 422),
        ({"action": "edit"}, 422),
        ({"action": "edit", "payload": {"sent": True}}, 422),
        ({"action": "edit", "payload": {"subject": "Hello"}}, 422),
        ({"action": "edit", "payload": {**WORDS, "body": 10**400}}, 422),
        ({"action": "edit", "payload": {**WORDS, "body": ""}}, 422),
        ({"action": "edit", "payload": {**WORDS, "body": "x" * 3001}}, 422),
        ({"action": "edit", "payload": {**WORDS, "body": "x" * 59 + " "}}, 422),
        ({"action": "edit", "payload": {**WORDS, "subject": "Hi"}}, 422),
        ({"action": "edit", "payload": {**WORDS, "subject": "x" * 101}}, 422),
        ({"action": "edit", "payload": {**WORDS, "subject": "a\x00b"}}, 422),
        ({"action": "edit", "payload": {**WORDS, "to": "x"}}, 422),
        ({"action": "approve", "payload": WORDS}, 422),
        ({"sender": "x"}, 422),
    ],
)
async def test_an_odd_decision_is_refused(
    filled: Api, fields: dict[str, object], status: int
) -> None:
    """Unknown episodes are not found; odd fields are invalid; erasing is no one's decision here."""
    body = {"episode_id": "2-10000", "action": "release", **fields}
    assert_problem(await filled.http.post("/api/decisions", json=body), status)


@pytest.mark.parametrize("text", [r"\ud800", r"\ud83d", r"a\udfffb"])
async def test_half_a_character_is_refused(filled: Api, text: str) -> None:
    """A lone surrogate is no text: it is refused before anything is stored."""
    body = (
        '{"episode_id": "2-10000", "action": "edit", "payload":'
        f' {{"subject": "Hello", "body": "{text}{"x" * 60}"}}}}'
    )
    headers = {"Content-Type": "application/json"}
    assert_problem(await filled.http.post("/api/decisions", content=body, headers=headers), 422)


async def test_an_edit_and_a_resolution_carry_what_they_say(
    filled: Api, admin: asyncpg.Connection
) -> None:
    """What a person wrote is stored as it is, and what the mailer made of it is shown beside it."""
    base = {"episode_id": "2-10000"}
    made = await filled.made("/api/decisions", {**base, "action": "edit", "payload": WORDS})
    assert (made["payload"], made["difference"]) == (WORDS, None)
    await admin.execute(
        "INSERT INTO decision_outcomes VALUES ($1, 'applied', 'done', now(), '-a\n+b')", made["id"]
    )
    sent = {"sent": False}
    second = await filled.made("/api/decisions", {**base, "action": "resolve", "payload": sent})
    shown = (await filled.http.get("/api/emails/2-10000")).json()["decisions"]
    assert [one["difference"] for one in shown] == ["-a\n+b", None]
    assert shown[1] == second
    assert second["payload"] == sent


async def test_a_held_back_episode_says_why_and_until_when(
    filled: Api, admin: asyncpg.Connection
) -> None:
    """The list of deferred episodes shows the reason and the business time of each."""
    await admin.execute(
        "UPDATE episodes SET state = 'deferred', reason = 'quiet hours',"
        " until = '2026-02-04T08:00Z' WHERE id = '2-10000'"
    )
    (row,) = await filled.pages("/api/emails", state="deferred")
    assert (row["reason"], row["until"]) == ("quiet hours", "2026-02-04T08:00:00Z")


async def test_an_unknown_episode_is_not_found(api: Api) -> None:
    """404 for an id that could be, 422 for one that could not."""
    assert_problem(await api.http.get("/api/emails/1-2"), 404)
    assert_problem(await api.http.get("/api/emails/x"), 422)


async def test_the_first_policy_is_the_default_one(api: Api) -> None:
    """The migration leaves version 1 with the reference figures."""
    current = (await api.http.get("/api/policies/current")).json()
    assert current["version"] == 1
    assert current["document"] == ShopPolicy().model_dump(mode="json")
    assert await api.pages("/api/policies") == [current]


async def test_stats_add_up(filled: Api, admin: asyncpg.Connection) -> None:
    """Counts by state sum up to the totals; clients without a score are counted as such."""
    empty = (await filled.http.get("/api/stats")).json()
    assert empty["as_of"] is None
    assert empty["clients"]["unscored"] == 2
    await admin.execute(
        """SELECT scores_open_day('2026-01-01'); UPDATE score_serving SET as_of = '2026-01-01';
           INSERT INTO scores VALUES ('2026-01-01', 1, 0.5, 'active')"""
    )
    await filled.order(1)
    stats = (await filled.http.get("/api/stats")).json()
    assert stats["as_of"] == "2026-01-01"
    assert stats["clients"]["by_state"]["active"] == 1
    assert stats["clients"]["unscored"] == 1
    assert stats["orders"]["total"] == 1
    assert sum(stats["episodes"]["by_state"].values()) == stats["episodes"]["total"] == 20
    assert stats["emails"]["total"] == stats["episodes"]["by_state"]["written"]
    assert stats["model_sandbox"] is True
    assert stats["clock_rate"] == 1.0
