"""The score meets the reference figures, and does not depend on the order of arrival."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from common.score.explain import explain
from common.score.ledger import Entry, Ledger, entry_of_order, entry_of_removal
from common.score.model import assess, score_on
from common.score.policy import Policy, Weights
from common.score.sweep import NO_DAY, STATES, FeatureColumns, sweep

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())
POLICY = Policy(
    weights=Weights(
        **dict(zip(("intercept", "frequency", "value", "recency"), GOLDEN["w"], strict=True))
    ),
    gap_prior_days=GOLDEN["g0"],
    half_life_days=GOLDEN["half_life_days"],
    horizon_days=GOLDEN["horizon_days"],
    rho=GOLDEN["rho"],
    theta=GOLDEN["theta"],
    exit_factor=GOLDEN["exit_factor"],
    silence_max_days=GOLDEN["silence_max_days"],
    lapse_days=GOLDEN["lapse_days"],
    ahead_days=GOLDEN["ahead_days"],
)


def ledger_from(rows):
    if rows == "day = k mod 1500 for k in 0..4999, value 5, placed":
        rows = [(k % 1500, 5, "placed") for k in range(5000)]
    ledger = Ledger()
    for order_id, (day, amount, status) in enumerate(rows, start=1):
        ledger.merge_order(order_id, entry_of_order(order_id, day, round(amount * 100), status))
    return ledger


def test_the_defaults_are_the_golden_parameters():
    """A shop without a fit runs on the reference parameters."""
    assert Policy() == POLICY


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["case"])
def test_golden(case):
    """Each golden ledger gives its features, score, state and days to 1e-9."""
    result = assess(ledger_from(case["ledger"]), case["today"], POLICY)
    if case["features"] is None:
        assert result.features is None
    else:
        assert result.features is not None
        want = case["features"]
        assert result.features == pytest.approx(
            (want["S"], want["V"], want["n"], want["first"], want["last"]), rel=1e-9
        )
    got = (result.score, result.entry, result.exit)
    assert got == pytest.approx((case["score"], case["entry"], case["exit"]), abs=1e-9)
    assert result.state == case["state"]
    assert (result.crossing_day, result.lapse_day) == (case["crossing_day"], case["lapse_day"])


@pytest.mark.parametrize(
    "case", [c for c in GOLDEN["cases"] if c["features"]], ids=lambda case: case["case"]
)
def test_the_sweep_agrees(case):
    """The vectorised sweep gives the same score and state as the single one."""
    one = assess(ledger_from(case["ledger"]), case["today"], POLICY)
    features = one.features
    assert features is not None
    crossing = NO_DAY if one.crossing_day is None else one.crossing_day
    columns = FeatureColumns(*(np.array([x]) for x in (*features, crossing)))
    scores, states = sweep(columns, case["today"], POLICY)
    assert scores[0] == pytest.approx(one.score, abs=1e-12)
    assert STATES[states[0]] == one.state


@pytest.mark.parametrize(
    "case", [c for c in GOLDEN["cases"] if c["features"]], ids=lambda case: case["case"]
)
def test_the_explanation_adds_up(case):
    """The parts of an explanation total the logit of the score; an order today never lowers it."""
    one = assess(ledger_from(case["ledger"]), case["today"], POLICY)
    assert one.features is not None
    why = explain(one.features, case["today"], POLICY)
    assert 1 / (1 + np.exp(-why.parts.total)) == pytest.approx(why.score, abs=1e-12)
    assert why.score_after_order >= why.score


ENTRIES = st.builds(
    lambda version, removed, day, cents, status: (
        entry_of_removal(version) if removed else entry_of_order(version, day, cents, status)
    ),
    st.integers(1, 10**6),
    st.booleans(),
    st.integers(-40_000, 3_000_000),
    st.integers(-(10**14), 10**14),
    st.sampled_from(["placed", "cancelled", "refunded"]),
)


@st.composite
def histories(draw):
    """A journal of row images: the images of one (order, version) pair are all the same."""
    images = draw(
        st.dictionaries(st.tuples(st.integers(1, 6), st.integers(1, 40)), ENTRIES, max_size=40)
    )
    journal = [
        ("order", order_id, entry._replace(version=version))
        for (order_id, version), entry in images.items()
    ]
    journal += [("client", 0, version) for version in draw(st.lists(st.integers(1, 40)))]
    if draw(st.booleans()):
        journal.append(("erased", 0, draw(st.integers(1, 40))))
    return journal


def replay(journal):
    ledger = Ledger()
    for kind, order_id, image in journal:
        if kind == "order":
            ledger.merge_order(order_id, image)
        elif kind == "client":
            ledger.merge_client(image)
        else:
            ledger.erase(image)
    return ledger


@given(st.data())
def test_arrival_order_does_not_matter(data):
    """Any shuffle and duplication of the same row images gives the same ledger and assessment."""
    journal = data.draw(histories())
    again = data.draw(st.permutations(journal + journal[: len(journal) // 2]))
    one, other = replay(journal), replay(again)
    assert one.orders == other.orders
    assert (one.version, one.erased_version, one.merged, one.erased) == (
        other.version,
        other.erased_version,
        other.merged,
        other.erased,
    )
    today = data.draw(st.integers(-50_000, 3_100_000))
    result = assess(one, today, POLICY)
    assert result == assess(other, today, POLICY)
    if result.score is not None:
        assert 0.0 <= result.score <= 1.0


@given(st.lists(st.integers(0, 2_000), min_size=2, max_size=30, unique=True))
def test_crossing_is_the_first_day_at_risk(days):
    """The crossing day found by bisection is the first one on which the rule holds."""
    ledger = ledger_from([(day, 30.0, "placed") for day in days])
    result = assess(ledger, max(days), POLICY)
    assert result.features is not None
    assert result.entry is not None
    assert result.crossing_day is not None
    for day in range(result.features.last, result.features.last + POLICY.silence_max_days + 1):
        at_risk = (
            score_on(result.features, day, POLICY) <= result.entry
            or day - result.features.last >= POLICY.silence_max_days
        )
        assert at_risk == (day >= result.crossing_day)


@pytest.mark.parametrize("erased_first", [True, False])
def test_an_erased_client_stays_erased_whatever_is_removed_after(erased_first):
    """A removal above the erasure's version brings nobody back; a new row of the client does."""
    ledger = Ledger()
    ledger.merge_client(1)
    ledger.merge_order(7, entry_of_order(2, 10, 100, "placed"))
    if erased_first:
        ledger.erase(9)
    ledger.merge_order(7, entry_of_removal(10))
    ledger.erase(9)
    assert ledger.erased
    ledger.merge_client(11)
    assert not ledger.erased


@pytest.mark.parametrize(
    "weights", [{"value": 1e308}, {"recency": -1}, {"intercept": float("inf")}]
)
def test_weights_that_overflow_are_refused(weights):
    """No policy can make a score that its readers could not read."""
    with pytest.raises(ValidationError):
        Weights(**weights)


def test_a_removal_wins_a_tie():
    """A delete carries the version of the image it deletes, and wins over it."""
    order = entry_of_order(7, 10, 100, "placed")
    for first, second in ((order, entry_of_removal(7)), (entry_of_removal(7), order)):
        ledger = Ledger()
        ledger.merge_order(1, first)
        ledger.merge_order(1, second)
        assert ledger.orders[1] == Entry(7, removed=True, day=0, cents=0, counts=False)
