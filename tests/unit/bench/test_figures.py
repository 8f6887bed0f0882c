"""Figures: statistics, the targets, and the report that several runs add to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.figures import TARGETS, Target, merged, percentiles, rounded, table
from bench.scorer_race import figures

MACHINE = {"quick": True, "cores": 2, "python": "3.11", "processor": "x", "load_average_before": 1}

REQUIRED = {
    "scorer.ratio_to_plain_loop": 0.5,
    "scorer.ratio_to_plain_faust": 5,
    "scorer.ratio_to_quix_streams": 1.5,
    "relay.ratio_to_raw_copy": 0.5,
    "row_to_score_ms.p95": 500,
    "growth.ratio_1m_to_100k": 11,
    "memory_mb.scorer_1m_clients": 4000,
    "memory_mb.due_index_1m": 300,
    "two_lanes.ratio_p95": 2,
}


def test_every_required_figure_has_its_target():
    """What the project promises is checked wherever it is measured."""
    targets = {target.figure: target.value for target in TARGETS}
    assert REQUIRED.items() <= targets.items()


@pytest.mark.parametrize(("bound", "at_the_bound"), [("≥", True), ("≤", True), ("<", False)])
def test_a_bound_says_whether_it_belongs_to_the_good_side(bound, at_the_bound):
    """At least and at most take the bound itself, below does not."""
    target = Target("x", bound, 2.0)
    assert target.met(2.0) is at_the_bound
    assert target.met(3.0) is (bound == "≥")
    assert target.met(1.0) is (bound != "≥")


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=200))
def test_percentiles_rise_and_stay_within_the_values(values):
    """p50, p95 and p99 stand in this order, between the least and the most."""
    p50, p95, p99 = percentiles(values, 50, 95, 99)
    slack = 1e-6
    assert min(values) - slack <= p50 <= p95 + slack <= p99 + 2 * slack
    assert p99 <= max(values) + slack


def test_percentiles_of_a_hundred_and_one_values_are_the_values():
    """With 0 to 100 the percentile p is p."""
    assert percentiles(range(101), 50, 95, 99) == [50, 95, 99]


def test_a_later_run_adds_to_the_figures_of_the_same_machine():
    """New figures replace old ones of the same name; the others stay."""
    first = merged({}, MACHINE, {"a": 1.0, "b": 2.0})
    second = merged(first, {**MACHINE, "load_average_before": 9}, {"b": 3.0, "c": 4.0})
    assert second["figures"] == {"a": 1.0, "b": 3.0, "c": 4.0}
    assert second["machine"]["load_average_before"] == 9


@pytest.mark.parametrize("change", [{"quick": False}, {"cores": 8}, {"python": "3.13"}])
def test_figures_that_do_not_compare_are_dropped(change):
    """A quick run and a full one, or two machines, never stand in one report."""
    first = merged({}, MACHINE, {"a": 1.0})
    assert merged(first, {**MACHINE, **change}, {"b": 2.0})["figures"] == {"b": 2.0}


def test_the_table_says_whether_a_target_was_met():
    """Beside a figure with a target stand the target and the verdict."""
    lines = table({"relay.ratio_to_raw_copy": 0.61, "scorer.ratio_to_plain_loop": 0.4, "x": 12.0})
    assert [line.split()[0] for line in lines] == [
        "relay.ratio_to_raw_copy",
        "scorer.ratio_to_plain_loop",
        "x",
    ]
    assert lines[0].endswith("target ≥ 0.5: met")
    assert lines[1].endswith("target ≥ 0.5: NOT MET")
    assert "target" not in lines[2]


def test_small_figures_keep_three_places_and_big_ones_one():
    """A ratio is not rounded away, a rate is not a row of digits."""
    assert (rounded(0.50449), rounded(123456.78)) == (0.504, 123456.8)


def test_ratios_are_of_medians():
    """One bad round of a contender does not move the ratio."""
    found = figures({"scorer": [40.0, 50.0, 90.0], "plain-loop": [100.0, 1.0, 120.0]})
    assert found["scorer.events_per_s"] == 50.0
    assert found["scorer.ratio_to_plain_loop"] == 0.5
    assert "scorer.ratio_to_quix_streams" not in found
