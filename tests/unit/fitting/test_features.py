"""Features of many clients at once are the score library's, one by one."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.score.ledger import entry_of_order, ledger_of, order_days
from common.score.model import features_of, score_on
from common.score.policy import Policy, Weights
from fitting.history import design, history_of_numbers, order_day_features, snapshot
from fitting.logistic import fit

GOLDEN = json.loads((Path(__file__).parents[1] / "common" / "golden.json").read_text())
POLICY = Policy(
    weights=Weights(
        **dict(zip(("intercept", "frequency", "value", "recency"), GOLDEN["w"], strict=True))
    ),
    gap_prior_days=GOLDEN["g0"],
    half_life_days=GOLDEN["half_life_days"],
)
ORDERS = st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 1_500), st.integers(1, 10**9)),
    min_size=1,
    max_size=60,
)


def columns_of(rows):
    return history_of_numbers(*(np.array(c, dtype=np.int64) for c in zip(*rows, strict=True)))


def scores(of):
    z = design(of, POLICY.gap_prior_days, POLICY.half_life_days) @ np.array(GOLDEN["w"])
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize(
    "case", [c for c in GOLDEN["cases"] if c["features"]], ids=lambda case: case["case"]
)
def test_golden(case):
    """Each golden ledger gives its features and score to 1e-9."""
    rows = case["ledger"]
    if isinstance(rows, str):
        assert rows == "day = k mod 1500 for k in 0..4999, value 5, placed"
        rows = [(k % 1500, 5, "placed") for k in range(5000)]
    ledger = ledger_of(
        (i, entry_of_order(i, day, round(amount * 100), status))
        for i, (day, amount, status) in enumerate(rows, start=1)
    )
    days = order_days(ledger, case["today"], GOLDEN["ahead_days"])
    of = snapshot(
        columns_of([(1, d.day, d.cents) for d in days]),
        case["today"] + GOLDEN["ahead_days"],
        POLICY.half_life_days,
    )._replace(day=case["today"])
    want = case["features"]
    got = [float(column[0]) for column in of.columns[:5]]
    assert got == pytest.approx([want[k] for k in ("S", "V", "n", "first", "last")], rel=1e-9)
    assert scores(of)[0] == pytest.approx(case["score"], abs=1e-9)


@given(ORDERS, st.integers(0, 1_600))
def test_columns_equal_single_ledgers(rows, today):
    """Features and scores in columns equal those of each client's ledger, as of any day."""
    of = snapshot(columns_of(rows), today, POLICY.half_life_days)
    found = dict(zip(of.owner.tolist(), zip(*of.columns[:5], strict=True), strict=True))
    chances = dict(zip(of.owner.tolist(), scores(of).tolist(), strict=True))
    names = sorted({client for client, _, _ in rows})
    known = 0
    for index, client in enumerate(names):
        ledger = ledger_of(
            (i, entry_of_order(1, day, cents, "paid"))
            for i, (owner, day, cents) in enumerate(rows, start=1)
            if owner == client
        )
        features = features_of(order_days(ledger, today, 0), POLICY.half_life_days)
        if features is None:
            assert index not in found
            continue
        known += 1
        assert found[index] == pytest.approx(tuple(features), rel=1e-9)
        assert chances[index] == pytest.approx(score_on(features, today, POLICY), abs=1e-9)
    assert known == len(found)


@given(ORDERS)
def test_features_on_order_days_are_those_of_that_day(rows):
    """What is known on each order-day equals a snapshot taken on it."""
    history = columns_of(rows)
    on_days = order_day_features(history, POLICY)
    for i in range(history.day.size):
        of = snapshot(history, int(history.day[i]), POLICY.half_life_days)
        row = int(np.flatnonzero(of.owner == history.owner[i])[0])
        for single, many in zip(on_days[:5], of.columns[:5], strict=True):
            assert float(single[i]) == pytest.approx(float(many[row]), rel=1e-9)


def test_planted_weights_are_found_again():
    """Labels drawn from known weights give these weights back, within their sampling error."""
    chance = np.random.default_rng(11)
    rows = np.column_stack((np.ones(200_000), chance.exponential(1.0, (200_000, 3))))
    rows[:, 3] *= -1
    planted = np.array([-1.0, 0.8, 0.3, 0.6])
    ordered = chance.random(200_000) < 1 / (1 + np.exp(-rows @ planted))
    assert fit(rows, ordered.astype(float)) == pytest.approx(planted, abs=0.04)


def test_a_weight_that_wants_the_wrong_sign_stays_at_zero():
    """A part that works the other way round gets no weight; the others fit as without it."""
    chance = np.random.default_rng(12)
    rows = np.column_stack((np.ones(20_000), chance.normal(size=(20_000, 2))))
    ordered = (chance.random(20_000) < 1 / (1 + np.exp(-(rows @ [0.2, 1.0, -0.7])))).astype(float)
    both, alone = fit(rows, ordered), fit(rows[:, :2], ordered)
    assert both[2] == 0.0
    assert both[:2] == pytest.approx(alone, abs=1e-8)
