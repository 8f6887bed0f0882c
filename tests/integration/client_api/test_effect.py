"""What writing to clients did: both arms as rows say it, no figure before there are enough."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import pytest
from sqlalchemy import text

from client_api.store import figures
from client_api.store.effect import Arms, arms
from common.clock import Anchor, BusinessClock, write_anchor
from common.effect import Arm, difference, needed_per_arm, wilson
from common.score.ledger import COUNTING_STATUSES, counts
from tests.integration.client_api.serving import Api, assert_problem, running_api
from tests.integration.client_api.trial import LONG_AGO, NOW, WINDOW, Trial
from tests.servers import Database

STATUSES = ("placed", "paid", "shipped", "delivered", "cancelled", "refunded")


@pytest.fixture
async def api(database: Database, tmp_path):
    """The API at a standing business time."""
    clock = tmp_path / "clock.json"
    write_anchor(clock, Anchor(datetime.now(UTC), NOW, 0.0))
    async with running_api(database.client_api_url, clock=BusinessClock(clock)) as running:
        yield running


@pytest.fixture
def trial(admin: asyncpg.Connection) -> Trial:
    """An empty shop to fill."""
    return Trial(admin)


async def effect_of(api: Api):
    """Ask for the effect, once the projector has counted it."""
    async with api.engine.begin() as db:
        await db.execute(text("UPDATE score_serving SET as_of = :day"), {"day": NOW.date()})
    async with api.engine.begin() as db:
        await figures.count(db, NOW, "USD")
    answer = await api.http.get("/api/effect")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def counted(api: Api) -> Arms:
    """Both arms as they are counted, whether or not they are shown."""
    async with api.engine.connect() as db:
        return await arms(db, NOW, WINDOW)


async def test_before_it_is_counted_there_is_no_effect(api: Api) -> None:
    """A shop whose first day is not served has nothing to compare, and the answer says so."""
    assert_problem(await api.http.get("/api/effect"), 404)


async def test_too_few_clients_have_no_figure(api: Api, trial: Trial) -> None:
    """Below the needed number the answer says how many are needed, and nothing of what came out."""
    found = await effect_of(api)
    assert (found["enough"], found["needed_per_arm"]) == (False, needed_per_arm())
    clients = await trial.clients(40)
    await trial.begin(clients[:20], "held_out")
    await trial.begin(clients[20:], "pending", now_in="sent")
    await trial.order(clients[:10], LONG_AGO + timedelta(days=1))
    found = await effect_of(api)
    assert (found["enough"], found["needed_per_arm"]) == (False, needed_per_arm(0.5))
    for arm in ("held_out", "not_held_out"):
        assert found[arm] == {"clients": 20, "ordered": None, "rate": None}
    assert found["difference"] is None


async def test_a_client_counts_once_where_its_first_episode_was_drawn(
    api: Api, trial: Trial
) -> None:
    """Whatever became of it: held, suppressed and recovered episodes stay in their arm."""
    clients = await trial.clients(8)
    await trial.begin(clients[:2], "held_out")
    for client, state in zip(
        clients[2:6], ("recovered", "suppressed", "failed", "sent"), strict=True
    ):
        await trial.begin([client], "pending", now_in=state)
    await trial.begin(clients[6:7], "held")
    await trial.begin(clients[7:], "held_out")
    # Later episodes of the same clients, drawn otherwise, change nothing.
    later = LONG_AGO + timedelta(days=5)
    await trial.begin(clients[:2], "pending", at=later)
    await trial.begin(clients[2:3], "held_out", at=later)
    found = await counted(api)
    assert (found.held_out, found.not_held_out) == (Arm(3, 0), Arm(5, 0))
    assert found.waiting == 0


async def test_the_window_begins_with_the_first_opening_and_must_have_ended(
    api: Api, trial: Trial, admin: asyncpg.Connection
) -> None:
    """Orders at or before the opening, or after the window, do not count; fresh episodes wait."""
    instant = timedelta(microseconds=1)
    clients = await trial.clients(6)
    await trial.begin(clients[:4], "pending")
    await trial.begin(clients[4:5], "pending", at=NOW - WINDOW)
    await trial.begin(clients[5:], "held_out", at=NOW - WINDOW + instant)
    moments = (LONG_AGO, LONG_AGO + instant, LONG_AGO + WINDOW, LONG_AGO + WINDOW + instant)
    for client, moment in zip(clients[:4], moments, strict=True):
        await trial.order([client], moment)
    await trial.order(clients[5:], NOW)
    found = await counted(api)
    assert (found.held_out, found.not_held_out, found.waiting) == (Arm(0, 0), Arm(5, 2), 1)
    # A later opening of the same episode takes other evidence, not another window.
    await admin.execute("UPDATE episodes SET opened_as_of = opened_as_of + interval '20 days'")
    assert await counted(api) == found


async def test_orders_count_by_the_rule_of_the_score(api: Api, trial: Trial) -> None:
    """Every status with every kind of amount counts in SQL exactly when the ledger's rule says."""
    kinds = [(status, cents) for status in STATUSES for cents in (-1, 0, 1, 100)]
    assert {status for status, _ in kinds} >= COUNTING_STATUSES
    for status, cents in kinds:
        (client,) = await trial.clients(1)
        await trial.begin([client], "pending")
        before = (await counted(api)).not_held_out.ordered
        amount = str(Decimal(cents).scaleb(-2))
        await trial.order([client], LONG_AGO + timedelta(days=1), amount=amount, status=status)
        after = (await counted(api)).not_held_out.ordered
        assert after - before == counts(status, cents), (status, cents)


async def test_a_planted_effect_shows_through_real_rows(api: Api, trial: Trial) -> None:
    """Ten points planted into rows come out of the endpoint, with the interval above zero."""
    seed = 20260101
    print(f"seed {seed}")
    chance = random.Random(seed)
    clients = await trial.clients(6_000)
    arms = {"held_out": clients[:1_500], "pending": clients[1_500:]}
    ordered = {}
    for state, rate in (("held_out", 0.12), ("pending", 0.22)):
        await trial.begin(arms[state], state)
        ordered[state] = [client for client in arms[state] if chance.random() < rate]
        # Two orders of a client are one client that ordered; a cancelled one is none.
        await trial.order(ordered[state], LONG_AGO + timedelta(days=9))
        await trial.order(ordered[state][:50], LONG_AGO + timedelta(days=10))
        await trial.order(arms[state], LONG_AGO + timedelta(days=11), status="cancelled")
    found = await effect_of(api)
    held, other = (Arm(len(arms[s]), len(ordered[s])) for s in ("held_out", "pending"))
    assert found["enough"] is True
    assert found["needed_per_arm"] == needed_per_arm(held.rate) <= 1_500
    for arm, shown in ((held, found["held_out"]), (other, found["not_held_out"])):
        low, high = wilson(arm)
        interval = {"value": arm.rate, "low": low, "high": high}
        assert shown == {"clients": arm.clients, "ordered": arm.ordered, "rate": interval}
    apart = difference(other, held)
    assert found["difference"] == pytest.approx(
        {
            "points": apart.value * 100,
            "low": apart.interval.low * 100,
            "high": apart.interval.high * 100,
        }
    )
    assert 0 < found["difference"]["low"] < 10 < found["difference"]["high"]
