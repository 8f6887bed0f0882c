"""Budgets are shared by all mailers: counted at the sandbox, no minute has more than the limit."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
import structlog

from common.policy import ShopPolicy
from mailer.model.budget import Limits, Need, Spent
from mailer.model.calls import Asking
from mailer.model.grants import Grant, Grants
from tests.integration.mailer.world import POLICY, PROVIDER, Process, World, until
from tests.servers import Database, migrated_database

LIMIT = 20
MINUTE = timedelta(minutes=1)
LAST = date(2026, 1, 1)
ASKING = Asking("maker/model", PROVIDER, sandbox=True)
NEED = Need(1_000, Decimal("0.01"))


async def backlog(admin_url: str, count: int, name: str = "Anna") -> list[str]:
    """Put episodes into the queue, as many as there are clients."""
    db = await asyncpg.connect(admin_url)
    try:
        await db.execute(
            "INSERT INTO policies (id, document, created_by) VALUES ($1, $2, 'test')"
            " ON CONFLICT DO NOTHING",
            POLICY,
            ShopPolicy(version=POLICY, holdout_percent=0).model_dump_json(),
        )
        known = await db.fetchval("SELECT count(*) FROM clients")
        ids = range(known + 1, known + count + 1)
        now = datetime.now(UTC)
        await db.executemany(
            "INSERT INTO clients (id, first_name) VALUES ($1, $2)", [(i, name) for i in ids]
        )
        episodes = [f"{i}:{LAST}" for i in ids]
        await db.executemany(
            "INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day,"
            " crossing_day, opened_as_of, score, value_at_risk, policy_version, event)"
            " VALUES ($1, $2, 'pending', 'fell at risk', 'scorer', $3, $3, $4, 0.4, 1, $5, '{}')",
            [(e, i, LAST, now, POLICY) for e, i in zip(episodes, ids, strict=True)],
        )
        await db.executemany(
            "INSERT INTO episode_history (episode_id, to_state, reason, actor)"
            " VALUES ($1, 'pending', 'fell at risk', 'scorer')",
            [(episode,) for episode in episodes],
        )
    finally:
        await db.close()
    return episodes


def grants_of(pool: "asyncpg.Pool[asyncpg.Record]", limits: Limits) -> Grants:
    """Grants as one mailer asks for them."""
    return Grants(pool, limits, ASKING, structlog.stdlib.get_logger("test"))


async def test_mailers_that_ask_at_once_share_one_budget(database: Database):
    """However many ask at the same moment, no more are granted than the limit; then all wait."""
    (episode,) = await backlog(database.admin_url, 1)
    async with asyncpg.create_pool(database.mailer_url, min_size=1, max_size=8) as pool:
        mailers = [grants_of(pool, Limits(LIMIT)) for _ in range(4)]
        assert await mailers[0].room(NEED) == LIMIT
        asked = (one.begin(episode, 1, NEED) for _ in range(LIMIT) for one in mailers)
        found = await asyncio.gather(*asked)
        assert sum(isinstance(one, Grant) for one in found) == LIMIT
        assert all(one.wait_s > 50 for one in found if isinstance(one, Spent))
        granted = next(one for one in found if isinstance(one, Grant))
        await mailers[1].give_up(granted.call_id)
        assert await mailers[2].room(NEED) == 1, "what was never sent is not counted"


async def test_tokens_count_as_reserved_until_they_are_known(database: Database):
    """A call in flight counts with what it may use at most, a finished one with what it did."""
    (episode,) = await backlog(database.admin_url, 1)
    async with asyncpg.create_pool(database.mailer_url, min_size=1, max_size=2) as pool:
        grants = grants_of(pool, Limits(tokens_per_minute=2_500))
        first = await grants.begin(episode, 1, NEED)
        await grants.begin(episode, 1, NEED)
        assert isinstance(first, Grant)
        assert isinstance(await grants.begin(episode, 1, NEED), Spent)
        await pool.execute(
            "UPDATE model_calls SET prompt_tokens = 300, completion_tokens = 100,"
            " outcome = 'accepted' WHERE id = $1",
            first.call_id,
        )
        assert await grants.room(NEED) == 1
        await pool.execute(
            "UPDATE model_calls SET prompt_tokens = NULL, completion_tokens = NULL,"
            " status_code = 429 WHERE id = $1",
            first.call_id,
        )
        assert await grants.room(Need(1_500, Decimal(0))) == 1, "a refused request used nothing"


async def test_the_cost_of_a_day_is_of_that_day(database: Database):
    """Costs of the UTC day count, those of the day before do not, unknown ones as reserved."""
    (episode,) = await backlog(database.admin_url, 1)
    admin = await asyncpg.connect(database.admin_url)
    limits = Limits(cost_per_day_usd=Decimal("0.05"))
    async with asyncpg.create_pool(database.mailer_url, min_size=1, max_size=2) as pool:
        for _ in range(5):
            assert isinstance(await grants_of(pool, limits).begin(episode, 1, NEED), Grant)
        spent = await grants_of(pool, limits).room(NEED)
        assert isinstance(spent, Spent)
        assert spent.lasting
        assert 0 < spent.wait_s <= 86_400
        long_since = grants_of(pool, limits)
        await admin.execute("UPDATE model_calls SET at = at - interval '1 day'")
        assert await long_since.room(NEED) == 5
        day = "date_trunc('day', clock_timestamp(), 'UTC')"
        await admin.execute(f"UPDATE model_calls SET at = {day}, cost_usd = 0.001")
        assert await grants_of(pool, limits).room(NEED) == 4
    await admin.close()


async def test_a_grant_that_ran_out_is_asked_for_anew(database: Database):
    """A grant is good for a moment only, by the clock of its process."""
    (episode,) = await backlog(database.admin_url, 1)
    async with asyncpg.create_pool(database.mailer_url, min_size=1, max_size=2) as pool:
        free = await grants_of(pool, Limits()).begin(episode, 1, NEED)
        bound = await grants_of(pool, Limits(LIMIT)).begin(episode, 1, NEED)
    assert isinstance(free, Grant)
    assert free.send_before is None
    assert isinstance(bound, Grant)
    assert bound.send_before is not None


class Fleet:
    """Some mailers on one database, each asking for a model of that fleet's name."""

    def __init__(self, world: World, database: Database, model: str, size: int) -> None:
        """Start nothing yet."""
        self.world, self.database, self.model, self.size = world, database, model, size
        self.mailers: list[Process] = []

    def start(self, **settings: Any) -> None:
        """Start all mailers."""
        self.mailers = [
            self.world.start(
                DATABASE_URL=self.database.mailer_url,
                OPENROUTER_MODEL=self.model,
                LEASE_S=20,
                **settings,
            )
            for _ in range(self.size)
        ]

    def arrivals(self) -> list[datetime]:
        """When each of the fleet's calls reached the model."""
        calls = (e for e in self.world.model.journal() if e["request"]["model"] == self.model)
        return [datetime.fromisoformat(call["at"]) for call in calls]

    async def fetch(self, query: str) -> list[asyncpg.Record]:
        """Ask the fleet's database."""
        db = await asyncpg.connect(self.database.admin_url)
        try:
            return list(await db.fetch(query))
        finally:
            await db.close()


def most_in_a_minute(arrivals: Sequence[datetime]) -> int:
    """The most calls in any minute, wherever it begins."""
    moments = sorted(arrivals)
    ends = (sum(first <= one < first + MINUTE for one in moments) for first in moments)
    return max(ends, default=0)


@contextlib.contextmanager
def held_still(process: Process) -> Iterator[None]:
    """Stop a process for a while, wherever it stands."""
    process.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.signal(signal.SIGCONT)


@pytest.mark.timeout(600)
async def test_no_minute_exceeds_the_limit_with_one_mailer_or_four(
    world: World, postgres: str, migrated_template: str
):
    """With 20 a minute, any 60 s at the model have at most 20 calls, texts written anew included.

    One mailer and a fleet of four work side by side, each on a backlog of its own; one of the four
    is held still when the next minute's calls begin. What waits is pending and has used no attempt.
    """
    await world.model.faults({"kind": "wrong_schema", "contains": '"Anew"'})
    with migrated_database(postgres, migrated_template) as other:
        fleets = [
            Fleet(world, world.database, "maker/one", 1),
            Fleet(world, other, "maker/four", 4),
        ]
        for fleet in fleets:
            await backlog(fleet.database.admin_url, 25, "Anew")
            await backlog(fleet.database.admin_url, 25)
            fleet.start(MODEL_REQUESTS_PER_MINUTE=LIMIT)

        async def began(count: int) -> bool:
            return all(len(fleet.arrivals()) >= count for fleet in fleets)

        await until(lambda: began(LIMIT), 120)
        for fleet in fleets:
            waiting = await fleet.fetch("SELECT * FROM episodes WHERE state = 'pending'")
            assert waiting
            assert {row["attempts"] for row in waiting} == {0}
        await until(lambda: began(LIMIT + 1), 120)
        with held_still(fleets[1].mailers[0]):
            await until(lambda: began(LIMIT + 8), 120)
        await until(lambda: began(LIMIT + 15), 120)
        for fleet in fleets:
            assert most_in_a_minute(fleet.arrivals()) <= LIMIT, fleet.model
            calls = await fleet.fetch("SELECT * FROM model_calls WHERE outcome LIKE 'unusable%'")
            assert calls, "no text was written anew"
        for mailer in world.processes:
            mailer.stop()
    assert "budget used up" in world.logs()


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"MODEL_TOKENS_PER_MINUTE": 5_000}, "5000 tokens a minute are used up"),
        ({"MODEL_COST_PER_DAY_USD": "0.002"}, "the day's 0.002 USD are spent"),
    ],
    ids=["tokens", "cost"],
)
async def test_tokens_and_cost_stop_the_calls(world: World, limit: dict[str, Any], said: str):
    """When tokens or money are used up, nothing more is asked: the backlog waits and says why."""
    fleet = Fleet(world, world.database, "maker/model", 2)
    await backlog(world.database.admin_url, 40)
    fleet.start(**limit)

    async def told() -> bool:
        return all(said in mailer.log.read_text() for mailer in fleet.mailers)

    await until(told, 120)

    async def quiet() -> bool:
        # A text is stored a moment after its call has ended.
        calls = await fleet.fetch("SELECT FROM model_calls WHERE outcome = 'in flight'")
        return not calls and not await fleet.fetch("SELECT FROM episodes WHERE state = 'writing'")

    await until(quiet)
    used = [entry["answer"]["usage"] for entry in world.model.journal()]
    assert used, "nothing was asked at all"
    assert sum(usage["total_tokens"] for usage in used) <= 5_000
    assert sum(usage["cost"] for usage in used) <= 0.002
    states = await fleet.fetch("SELECT state, attempts FROM episodes WHERE state <> 'written'")
    assert {tuple(row) for row in states} == {("pending", 0)}
    if "MODEL_COST_PER_DAY_USD" in limit:
        answer = await fleet.mailers[0].ask("/readyz")
        assert answer is not None
        assert said in answer.json()["model"]


async def test_a_price_that_cannot_be_had_stops_the_calls(world: World):
    """With a limit on cost and no price, no call is made; once there is one, work goes on."""
    await world.model.faults({"kind": "status", "status": 500, "path": "endpoints"})
    (episode,) = await backlog(world.database.admin_url, 1)
    mailer = world.start(MODEL_COST_PER_DAY_USD=1)

    async def told() -> bool:
        answer = await mailer.ask("/readyz")
        return answer is not None and "cost of a call is not known" in answer.text

    await until(told)
    assert not world.model.journal()
    await world.model.faults()
    await world.reach(episode, "written")
