"""Episodes over HTTP: every one, in pages, with what became of it."""

import random
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from tests.integration.client_api.serving import Api, assert_problem
from tests.integration.client_api.trial import LONG_AGO, WINDOW, Trial
from tests.integration.client_api.watching import statements_of

STATES = ("pending", "sent", "held", "recovered")


@pytest.fixture
def trial(admin: asyncpg.Connection) -> Trial:
    """An empty shop to fill."""
    return Trial(admin)


@pytest.fixture
async def filled(api: Api, trial: Trial) -> Api:
    """Sixty episodes of forty clients, of which many are worth the same."""
    chance = random.Random(5)
    clients = await trial.clients(40)
    for n in range(60):
        client = clients[n % 40]
        await trial.begin(
            [client],
            chance.choice(STATES),
            at=LONG_AGO + timedelta(days=n),
            value=chance.choice([0.1 + 0.2, 0.3, 12.345, 99.0]),
        )
    return api


async def _read(api: Api, episode_id: str) -> dict[str, Any]:
    answer = await api.http.get(f"/api/episodes/{episode_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("sort", ["-value", "-created"])
@pytest.mark.parametrize("limit", [1, 7, 200])
async def test_pages_cover_every_episode_once(filled: Api, sort: str, limit: int) -> None:
    """Whatever the page size: each once, the most valuable or the newest first."""
    rows = await filled.pages("/api/episodes", sort=sort, limit=limit)
    assert len({row["episode_id"] for row in rows}) == len(rows) == 60
    if sort == "-value":
        values = [float(row["value_at_risk"]["amount"]) for row in rows]
        assert values == sorted(values, reverse=True)
    else:
        keys = [(row["created_at"], row["episode_id"]) for row in rows]
        assert keys == sorted(keys, reverse=True)


@pytest.mark.parametrize("sort", ["-value", "-created"])
async def test_filters_keep_exactly_what_they_name(filled: Api, sort: str) -> None:
    """By state and by client, in the order of the whole list."""
    every = await filled.pages("/api/episodes", sort=sort)
    for state in STATES:
        wanted = [row for row in every if row["state"] == state]
        assert wanted
        assert await filled.pages("/api/episodes", sort=sort, state=state, limit=3) == wanted
    wanted = [row for row in every if row["client_id"] == 7]
    assert len(wanted) == 2
    assert await filled.pages("/api/episodes", sort=sort, client_id=7, limit=1) == wanted


async def test_an_episode_tells_its_course_and_its_end(api: Api, trial: Trial) -> None:
    """What it rests in is its outcome; an order within the window is named as well."""
    [ada, bob] = await trial.clients(2)
    [done] = await trial.begin([ada], "pending", now_in="sent", value=1234.567)
    [waiting] = await trial.begin([bob], "held")
    await trial.order([ada], LONG_AGO + timedelta(days=1), status="cancelled")
    await trial.order([ada], LONG_AGO + timedelta(days=5))
    await trial.order([ada], LONG_AGO + timedelta(days=4))
    await trial.order([bob], LONG_AGO)
    await trial.order([bob], LONG_AGO + WINDOW + timedelta(days=1))
    found = await _read(api, done)
    assert found["outcome"] == "sent"
    assert found["closed_at"] == found["history"][-1]["at"]
    assert [step["to_state"] for step in found["history"]] == ["pending", "sent"]
    assert found["value_at_risk"] == {"amount": "1234.57", "currency": "USD"}
    assert found["ordered_at"] == (LONG_AGO + timedelta(days=4)).isoformat().replace("+00:00", "Z")
    assert found["opened_at"] == LONG_AGO.isoformat().replace("+00:00", "Z")
    other = await _read(api, waiting)
    assert (other["outcome"], other["closed_at"], other["ordered_at"]) == (None, None, None)
    listed = {row["episode_id"]: row for row in await api.pages("/api/episodes")}
    for one in (found, other):
        assert {name: one[name] for name in listed[one["episode_id"]]} == listed[one["episode_id"]]


async def test_the_evidence_says_why_it_opened_until_it_is_erased(
    api: Api, trial: Trial, admin: asyncpg.Connection
) -> None:
    """Cause and entry come from the event; an erased client's are gone, the episode stays."""
    [ada] = await trial.clients(1)
    [episode] = await trial.begin([ada], "pending")
    await admin.execute(
        """UPDATE episodes SET event = '{"cause": "silence", "entry": 0.25}' WHERE id = $1""",
        episode,
    )
    found = await _read(api, episode)
    assert (found["cause"], found["entry"]) == ("silence", 0.25)
    answer = await api.http.delete(f"/api/clients/{ada}")
    assert answer.status_code == 204
    found = await _read(api, episode)
    assert (found["cause"], found["entry"], found["score"]) == (None, None, 0)
    assert found["value_at_risk"]["amount"] == "0.00"


async def test_odd_questions_are_problems(api: Api) -> None:
    """No such episode is 404; odd queries are 422."""
    assert_problem(await api.http.get("/api/episodes/1-20000"), 404)
    assert_problem(await api.http.get("/api/episodes/x"), 422)
    for params in ({"state": "gone"}, {"sort": "id"}, {"cursor": "x"}, {"limit": 0}, {"a": 1}):
        assert_problem(await api.http.get("/api/episodes", params=params), 422)


@pytest.mark.parametrize("limit", [1, 50])
async def test_a_page_takes_one_statement(filled: Api, limit: int) -> None:
    """No episode costs a statement of its own."""
    with statements_of(filled) as statements:
        answer = await filled.http.get("/api/episodes", params={"limit": limit})
    assert answer.status_code == 200
    assert len(statements) == 1
