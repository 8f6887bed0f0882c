"""Intervals that hold what they promise, and how many clients a figure takes."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.effect import Arm, difference, needed_per_arm, wilson

EXPERIMENTS = 1_000
HOLDOUT, WRITTEN_TO = 1_500, 13_500
"""Clients of a simulated experiment: a tenth is held out."""

NEWCOMBE = [
    ((56, 70), (48, 80), (0.0524, 0.3339)),
    ((9, 10), (3, 10), (0.1705, 0.8090)),
    ((6, 7), (2, 7), (0.0582, 0.8062)),
    ((5, 56), (0, 29), (-0.0381, 0.1926)),
    ((0, 10), (0, 20), (-0.1611, 0.2775)),
    ((0, 10), (0, 10), (-0.2775, 0.2775)),
    ((10, 10), (0, 20), (0.6791, 1.0000)),
    ((10, 10), (0, 10), (0.6075, 1.0000)),
]
"""Table II of Newcombe 1998, method 10, as (ordered, clients) of each arm."""


def arms():
    """Any arm that is not empty."""
    return st.integers(1, 10_000).flatmap(
        lambda clients: st.builds(Arm, st.just(clients), st.integers(0, clients))
    )


@pytest.mark.parametrize(("one", "other", "interval"), NEWCOMBE)
def test_the_difference_is_the_published_one(one, other, interval):
    """All eight contrasts of the paper come out to its four digits."""
    found = difference(Arm(one[1], one[0]), Arm(other[1], other[0]))
    assert found.value == pytest.approx(one[0] / one[1] - other[0] / other[1])
    assert found.interval == pytest.approx(interval, abs=5.1e-5)


@pytest.mark.parametrize(
    ("ordered", "clients", "interval"),
    [
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0000, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_the_rate_is_the_published_one(ordered, clients, interval):
    """The four proportions of Newcombe's companion paper (table I, method 3) come out."""
    assert wilson(Arm(clients, ordered)) == pytest.approx(interval, abs=5.1e-5)


@given(arms(), st.floats(0.5, 0.999))
def test_a_rate_lies_in_its_interval_and_the_interval_in_0_to_1(arm, level):
    """Whatever the arm: 0 ≤ low ≤ rate ≤ high ≤ 1, and a higher level is never narrower."""
    low, high = wilson(arm, level)
    assert 0 <= low <= arm.rate <= high <= 1
    wider = wilson(arm, (1 + level) / 2)
    assert wider.low <= low + 1e-12
    assert wider.high >= high - 1e-12


@given(arms(), arms())
def test_swapped_arms_change_the_sign_alone(one, other):
    """The difference is within [-1, 1] and its interval; swapped arms mirror both."""
    there, back = difference(one, other), difference(other, one)
    assert -1 <= there.interval.low <= there.value <= there.interval.high <= 1
    assert there.value == -back.value
    assert there.interval == pytest.approx((-back.interval.high, -back.interval.low))


@pytest.mark.parametrize("arm", [Arm(0, 0), Arm(3, 4), Arm(3, -1)])
def test_an_impossible_arm_has_no_interval(arm):
    """Nobody, more orders than clients or fewer than none: an error, never a figure."""
    with pytest.raises(ValueError, match="arm"):
        wilson(arm)


def test_needed_clients_are_the_textbooks():
    """Five points at 80 % power and 5 % level: known figures; most are needed around one half."""
    assert needed_per_arm(0.10) == 686
    assert needed_per_arm(0.20) == 1094
    assert needed_per_arm() == needed_per_arm(0.475) == 1569
    assert needed_per_arm(0.9) == needed_per_arm(0.1)
    assert needed_per_arm(0.1, apart=0.1) == 199
    with pytest.raises(ValueError, match="shares"):
        needed_per_arm(1.1)


@given(st.floats(0, 1))
def test_no_rate_needs_more_clients_than_an_unknown_one(rate):
    """What nobody has observed yet asks for the most."""
    assert 1 <= needed_per_arm(rate) <= needed_per_arm()


def simulated(rate, other):
    """1,000 experiments with these true rates: the intervals of the difference."""
    seed = int(os.environ.get("SEED", "20260101"))
    print(f"seed {seed}: set SEED for other draws")
    chance = np.random.default_rng(seed)
    ordered = (
        chance.binomial(WRITTEN_TO, rate, EXPERIMENTS),
        chance.binomial(HOLDOUT, other, EXPERIMENTS),
    )
    return [
        difference(Arm(WRITTEN_TO, one), Arm(HOLDOUT, two)).interval
        for one, two in zip(*(some.tolist() for some in ordered), strict=True)
    ]


@pytest.mark.parametrize("rate", [0.03, 0.12, 0.4])
def test_the_interval_covers_no_effect_as_often_as_it_says(rate):
    """Of 1,000 experiments in which emails do nothing, 93 to 97 % have 0 in their interval."""
    covered = sum(low <= 0 <= high for low, high in simulated(rate, rate)) / EXPERIMENTS
    print(f"rate {rate}: {covered:.1%} cover 0")
    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize("rate", [0.03, 0.12, 0.4])
def test_a_planted_effect_is_found(rate):
    """Ten points more are found, the interval above 0, in nearly all of 1,000 experiments."""
    found = simulated(rate + 0.10, rate)
    assert sum(low > 0 for low, _ in found) >= 0.99 * EXPERIMENTS
    assert sum(low <= 0.10 <= high for low, high in found) >= 0.93 * EXPERIMENTS


def test_the_needed_number_has_the_power_it_promises():
    """With just so many clients in each arm, five points are found in about 80 %."""
    seed = int(os.environ.get("SEED", "20260101"))
    print(f"seed {seed}: set SEED for other draws")
    chance = np.random.default_rng(seed)
    needed = needed_per_arm(0.12)
    ones = chance.binomial(needed, 0.17, EXPERIMENTS).tolist()
    others = chance.binomial(needed, 0.12, EXPERIMENTS).tolist()
    found = sum(
        difference(Arm(needed, one), Arm(needed, two)).interval.low > 0
        for one, two in zip(ones, others, strict=True)
    )
    assert 0.75 <= found / EXPERIMENTS <= 0.85
