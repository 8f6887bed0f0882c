"""A policy tried on the stored features: the same figures as judging each client by itself."""

import random
from typing import Any

import asyncpg
import pytest

from client_api.operations import preview as preview_module
from client_api.projector.days import Days
from client_api.projector.records import reduce
from client_api.projector.store import ScoreStore
from common.clock import date_of
from common.score.ledger import Ledger
from common.score.model import assess
from common.score.policy import Policy
from tests.integration.client_api.serving import Api, assert_problem
from tests.scored import POLICY, TODAY, ledger, row, scored
from tests.servers import Database

CLIENTS = 400


@pytest.fixture
async def shop(api: Api, database: Database, admin: asyncpg.Connection) -> dict[int, Ledger]:
    """Some hundred clients of all states, scored."""
    chance = random.Random(11)
    await admin.execute(
        f"INSERT INTO clients (first_name) SELECT 'C' FROM generate_series(1, {CLIENTS})"
    )
    ledgers = {
        i: ledger(
            sorted(chance.sample(range(300), chance.randrange(7)), reverse=True),
            chance.randrange(100, 50_000),
        )
        for i in range(1, CLIENTS + 1)
    }
    async with asyncpg.create_pool(database.client_api_url, min_size=1, max_size=2) as pool:
        store = ScoreStore(pool)
        await Days(pool, store).advance(date_of(TODAY))
        await store.write(reduce(row(scored(i, found), 1) for i, found in ledgers.items()))
    return ledgers


async def _preview(api: Api, **body: Any) -> dict[str, Any]:
    answer = await api.http.post("/api/policies/preview", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


CANDIDATES: list[dict[str, Any]] = [
    {"theta": 0.35},
    {"theta": 0.6, "rho": 0.9},
    {"silence_max_days": 60, "lapse_days": 90, "holdout_percent": 50},
    {"weights": {"recency": 1.2}},
]


@pytest.mark.parametrize("change", CANDIDATES, ids=str)
async def test_counts_are_those_of_each_client_by_itself(
    api: Api, shop: dict[int, Ledger], change: dict[str, Any]
) -> None:
    """States, who enters, leaves and stays, and the expected precision, by the common score."""
    document = POLICY.model_dump()
    weights = document["weights"] | change.get("weights", {})
    candidate = Policy.model_validate(document | change | {"weights": weights})
    before = {i: assess(found, TODAY, POLICY) for i, found in shop.items()}
    after = {i: assess(found, TODAY, candidate) for i, found in shop.items()}
    told = await _preview(api, policy=change, cost_per_email="0.5")
    assert (told["clients"], told["seen"], told["sampled"]) == (CLIENTS, CLIENTS, False)
    for name, found in (("present", before), ("candidate", after)):
        states = [one.state for one in found.values()]
        assert told[name]["by_state"] == {s: states.count(s) for s in told[name]["by_state"]}
        risky = [1 - one.score for one in found.values() if one.state == "at_risk" and one.score]
        assert told[name]["expected_precision"] == pytest.approx(sum(risky) / len(risky))
    was = {i for i, one in before.items() if one.state == "at_risk"}
    becomes = {i for i, one in after.items() if one.state == "at_risk"}
    assert told["entering"] == len(becomes - was)
    assert told["leaving"] == len(was - becomes)
    assert told["staying"] == len(was & becomes)
    held = [i for i in becomes - was if TODAY + 1 - (after[i].crossing_day or 0) > 3]
    assert told["held_for_a_person"] == len(held)
    share = 1 - candidate.holdout_percent / 100
    assert told["emails_at_once"] == pytest.approx((len(becomes - was) - len(held)) * share)
    assert float(told["cost_at_once"]["amount"]) == pytest.approx(
        told["emails_at_once"] / 2, abs=0.006
    )


async def test_emails_per_day_are_those_whose_silence_lasts(
    api: Api, shop: dict[int, Ledger]
) -> None:
    """Each client who crosses within thirty days counts with its chance to be silent till then."""
    expected = 0.0
    for found in shop.values():
        one = assess(found, TODAY, POLICY)
        if one.crossing_day is not None and TODAY < one.crossing_day <= TODAY + 30:
            assert one.score is not None
            expected += (1 - one.score) ** ((one.crossing_day - TODAY) / POLICY.horizon_days)
    told = await _preview(api, policy={})
    assert expected > 0
    assert told["present"]["emails_per_day"] == pytest.approx(expected * 0.9 / 30)
    assert told["present"] == told["candidate"]
    assert (told["entering"], told["leaving"], told["emails_at_once"]) == (0, 0, 0)
    assert told["cost_at_once"] is None


async def test_a_sample_says_so_and_scales(
    api: Api, shop: dict[int, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more clients than the limit only some are seen; the figures are scaled up from them."""
    exact = await _preview(api, policy={"theta": 0.4})
    monkeypatch.setattr(preview_module, "SEEN_MAX", 150)
    monkeypatch.setattr(preview_module, "KEPT_S", -1)
    told = await _preview(api, policy={"theta": 0.4})
    assert told["sampled"]
    assert told["seen"] < told["clients"] == CLIENTS
    states = told["present"]["by_state"]
    assert sum(states.values()) == pytest.approx(CLIENTS, abs=4)
    assert states["no_orders"] == exact["present"]["by_state"]["no_orders"]
    assert states["lapsed"] == pytest.approx(exact["present"]["by_state"]["lapsed"], rel=0.5)


async def test_what_the_features_cannot_tell_is_refused(api: Api, shop: dict[int, Ledger]) -> None:
    """Another half-life needs the whole history, and what is no policy is none."""
    for policy in (
        {"half_life_days": 90},
        {"ahead_days": 3},
        {"theta": 2},
        {"mood": "good"},
        {"silence_max_days": 500},
    ):
        answer = await api.http.post("/api/policies/preview", json={"policy": policy})
        assert_problem(answer, 422)


async def test_without_a_served_day_there_is_no_preview(api: Api) -> None:
    """404 before the first day."""
    answer = await api.http.post("/api/policies/preview", json={"policy": {}})
    assert_problem(answer, 404)
