"""The books of all episodes: the endpoint and the mailer's gauges say the same, and tell a lie."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import structlog
from pydantic import SecretStr

from mailer import database as mailer_database
from mailer.episodes.books import Books
from mailer.metrics import Metrics
from tests.integration.client_api.serving import Api
from tests.servers import Database

EPISODES = """
INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day, crossing_day,
    opened_as_of, score, value_at_risk, policy_version, event)
SELECT g || '-20000', g, (ARRAY['held', 'written', 'recovered', 'held_out'])[1 + g % 4], 'because',
    'mailer', '2026-01-01', '2026-02-01', '2026-02-02T00:00:00Z', 0.25, 1, 1, '{}'
FROM generate_series(1, 30) g;
INSERT INTO episode_history (episode_id, from_state, to_state, reason, actor)
SELECT id, NULL, CASE WHEN state IN ('held', 'held_out') THEN state ELSE 'pending' END, 'r', 'a'
FROM episodes;
INSERT INTO episode_history (episode_id, from_state, to_state, reason, actor)
SELECT id, 'pending', 'written', 'r', 'a' FROM episodes WHERE state IN ('written', 'recovered');
INSERT INTO episode_history (episode_id, from_state, to_state, reason, actor)
SELECT id, 'written', 'recovered', 'r', 'a' FROM episodes WHERE state = 'recovered';
"""
STATES = {"held": 7, "written": 8, "recovered": 8, "held_out": 7}


@pytest.fixture
async def filled(api: Api, admin: asyncpg.Connection) -> Api:
    """Thirty episodes in four states, with their histories."""
    await admin.execute(EPISODES)
    return api


@pytest.fixture
async def books(database: Database) -> AsyncIterator[Books]:
    """The mailer's books, with the rights that the mailer has."""
    async with await mailer_database.connect(SecretStr(database.mailer_url)) as pool:
        yield Books(pool, Metrics(), structlog.get_logger("test"))


async def endpoint(api: Api, **params: Any) -> dict[str, Any]:
    """Ask the endpoint."""
    answer = await api.http.get("/api/ledger", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def gauges(books: Books) -> tuple[dict[str, float], float]:
    """Read the books and return what is scraped: episodes by state, and the imbalance."""
    await books.read()
    families = {family.name: family.samples for family in books._metrics.registry.collect()}
    by_state = {s.labels["state"]: s.value for s in families["engage_episodes"]}
    return by_state, families["engage_ledger_imbalance"][0].value


async def test_the_books_of_no_episodes_balance(api: Api, books: Books) -> None:
    """Nothing is there, nothing is missing, and every state is named."""
    found = await endpoint(api, each=True)
    assert (found["balanced"], found["total"], found["begun"], found["mismatched"]) == (
        (True, 0, 0, 0)
    )
    by_state, imbalance = await gauges(books)
    assert by_state == found["by_state"]
    assert (set(by_state.values()), imbalance) == ({0}, 0)


async def test_the_endpoint_and_the_gauges_agree(filled: Api, books: Books) -> None:
    """Episodes by state, by what is and by what the history says; all begun once."""
    found = await endpoint(filled)
    assert found["balanced"] is True
    assert found["mismatched"] is None
    assert found["total"] == found["begun"] == sum(STATES.values()) == 30
    assert {s: n for s, n in found["by_state"].items() if n} == STATES
    assert found["by_history"] == found["by_state"]
    assert await gauges(books) == (found["by_state"], 0)


STEP = "INSERT INTO episode_history (episode_id, from_state, to_state, reason, actor)"
PLANTED = {
    "a state changed behind the history's back": (
        "UPDATE episodes SET state = 'sent' WHERE id = '1-20000'",
        2,
    ),
    "an episode without a beginning": (
        "DELETE FROM episode_history WHERE episode_id = '3-20000'",
        1,
    ),
    "an episode begun twice": (f"{STEP} VALUES ('3-20000', NULL, 'held_out', 'r', 'a')", 1),
    "a step never taken": (f"{STEP} VALUES ('4-20000', 'held', 'pending', 'r', 'a')", 2),
}


@pytest.mark.parametrize("what", PLANTED)
async def test_a_planted_imbalance_shows(
    filled: Api, books: Books, admin: asyncpg.Connection, what: str
) -> None:
    """What the ledger's own code never does, done by hand: both say that the books are wrong."""
    statement, imbalance = PLANTED[what]
    await admin.execute(statement)
    found = await endpoint(filled)
    assert found["balanced"] is False
    assert await gauges(books) == (found["by_state"], imbalance)


async def test_two_errors_that_hide_each_other_show_history_by_history(
    filled: Api, admin: asyncpg.Connection
) -> None:
    """Two episodes in each other's state leave all sums alone; asked for each, both are found."""
    await admin.execute(
        "UPDATE episodes SET state = CASE id WHEN '1-20000' THEN 'held_out' ELSE 'written' END"
        " WHERE id IN ('1-20000', '3-20000')"
    )
    assert (await endpoint(filled))["balanced"] is True
    found = await endpoint(filled, each=True)
    assert (found["balanced"], found["mismatched"]) == (False, 2)
