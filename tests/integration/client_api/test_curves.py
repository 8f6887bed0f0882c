"""A client's curve over HTTP: the score of every day, recomputed from the orders in Postgres."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from client_api.projector.days import Days
from client_api.projector.records import reduce
from client_api.projector.store import ScoreStore
from client_api.shapes.curves import ClientCurve
from common.clock import EPOCH, date_of
from common.score.model import assess
from tests.integration.client_api.serving import Api, assert_problem
from tests.integration.client_api.watching import statements_of
from tests.scored import POLICY, TODAY, day_after, ledger, row, scored
from tests.servers import Database

AGO = [400, 310, 250, 249, 100]


async def _scored_client(api: Api, database: Database, ago: list[int]) -> dict[str, Any]:
    """Create a client with an order so many days ago each, scored as the scorer would."""
    made = await api.client()
    for days in ago:
        at = datetime(1970, 1, 1, 12, tzinfo=UTC) + timedelta(days=TODAY - days)
        await api.order(made["id"], amount="50.00", ordered_at=at.isoformat(), status="paid")
    async with asyncpg.create_pool(database.client_api_url, min_size=1, max_size=2) as pool:
        store = ScoreStore(pool)
        await Days(pool, store).advance(date_of(TODAY))
        await store.write(reduce([row(scored(made["id"], ledger(ago)), 1)]))
    return made


async def _curve(api: Api, client_id: int, **params: Any) -> dict[str, Any]:
    answer = await api.http.get(f"/api/clients/{client_id}/curve", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert ClientCurve.model_validate(found).model_dump(mode="json") == found
    return found


@pytest.mark.parametrize("ago", [AGO, [3], [90, 60, 30, 2], [500, 400], []])
async def test_the_served_day_of_the_curve_is_the_score(
    api: Api, database: Database, ago: list[int]
) -> None:
    """Score, state, thresholds and days agree with the client's score to 1e-9."""
    ada = await _scored_client(api, database, ago)
    score = (await api.http.get(f"/api/clients/{ada['id']}/score")).json()
    found = await _curve(api, ada["id"])
    assert found["as_of"] == score["as_of"] == date_of(TODAY).isoformat()
    [point] = [one for one in found["points"] if one["day"] == found["as_of"]]
    assert point["state"] == score["state"]
    for one, other in (
        (point["score"], score["score"]),
        (found["entry"], score["entry"]),
        (found["exit"], score["exit"]),
    ):
        assert one == (None if other is None else pytest.approx(other, abs=1e-9))
    for name in ("policy_version", "crossing_day", "lapse_day"):
        assert found[name] == score[name]


async def test_every_day_is_scored_by_the_orders_that_counted_then(
    api: Api, database: Database
) -> None:
    """A year back and half a year ahead, each point what the common score says of that day."""
    ada = await _scored_client(api, database, AGO)
    found = await _curve(api, ada["id"])
    days = [(datetime.fromisoformat(one["day"]).date() - EPOCH).days for one in found["points"]]
    assert days == list(range(TODAY - 365, TODAY + 181))
    orders = ledger(AGO)
    for day, one in zip(days, found["points"], strict=True):
        expected = assess(orders, day, POLICY)
        assert one["state"] == expected.state
        assert one["score"] == (expected.score and pytest.approx(expected.score, abs=1e-9))


async def test_cancelled_and_later_orders_do_not_bend_the_past(
    api: Api, database: Database
) -> None:
    """What does not count changes nothing; what counts changes its own day and those after it."""
    ada = await _scored_client(api, database, [200, 150])
    before = await _curve(api, ada["id"])
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=TODAY - 20)
    order = await api.order(ada["id"], ordered_at=at.isoformat(), status="cancelled")
    assert await _curve(api, ada["id"]) == before
    await api.http.patch(f"/api/orders/{order['id']}", json={"status": "paid"})
    after = await _curve(api, ada["id"])
    changed = [
        one["day"]
        for one, other in zip(after["points"], before["points"], strict=True)
        if one != other
    ]
    assert changed[0] == day_after(-20 - POLICY.ahead_days).isoformat()
    assert len(changed) == 20 + POLICY.ahead_days + 181


async def test_any_range_of_at_most_1100_days_can_be_asked_for(
    api: Api, database: Database
) -> None:
    """One bound leaves as much as there is room for; a longer range and a reversed one are 422."""
    ada = await _scored_client(api, database, AGO)
    one_day = await _curve(api, ada["id"], **{"from": "2020-05-05", "to": "2020-05-05"})
    assert one_day["points"] == [{"day": "2020-05-05", "score": None, "state": "no_orders"}]
    longest = await _curve(api, ada["id"], **{"from": "2023-01-01", "to": "2026-01-04"})
    assert len(longest["points"]) == 1100
    for bound in (
        {"from": "1000-01-01"},
        {"to": "9999-12-31"},
        {"from": "9999-01-01"},
        {"to": "0001-01-01"},
    ):
        found = await _curve(api, ada["id"], **bound)
        assert 1 <= len(found["points"]) <= 1100
    path = f"/api/clients/{ada['id']}/curve"
    for params in (
        {"from": "2023-01-01", "to": "2026-01-05"},
        {"from": "2023-01-02", "to": "2023-01-01"},
        {"from": "yesterday"},
        {"since": "2023-01-01"},
    ):
        assert_problem(await api.http.get(path, params=params), 422)


async def test_a_curve_needs_a_client_and_a_day(api: Api) -> None:
    """No such client, and no day served yet, are 404."""
    assert_problem(await api.http.get("/api/clients/77/curve"), 404)
    ada = await api.client()
    assert_problem(await api.http.get(f"/api/clients/{ada['id']}/curve"), 404)


async def test_a_curve_takes_two_statements(api: Api, database: Database) -> None:
    """However many days and orders."""
    ada = await _scored_client(api, database, AGO)
    with statements_of(api) as statements:
        await _curve(api, ada["id"], **{"from": "2023-01-01", "to": "2026-01-01"})
    assert len(statements) == 2
