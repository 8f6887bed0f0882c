"""An evaluation depends on what was ordered, not on how it was told, nor on what came later."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import Misconfigured
from fitting.evaluation import document, evaluate
from fitting.window import fit_window
from tests.unit.fitting.shops import csv_of, history, loaded, made_up

SPLIT, HORIZON = 10_300, 60
ROWS = made_up()


@settings(max_examples=8)
@given(st.integers(0, 2**32))
def test_shuffled_and_repeated_lines_change_nothing(tmp_path_factory, seed):
    """Lines in any order, some of them twice, give the very same figures."""
    chance = random.Random(seed)
    folder = tmp_path_factory.mktemp("lines")
    lines = sorted(set(ROWS))
    shuffled = lines + chance.sample(lines, 200)
    chance.shuffle(shuffled)
    one = document(evaluate(loaded(folder, csv_of(lines)).orders, SPLIT, HORIZON))
    other = document(evaluate(loaded(folder, csv_of(shuffled)).orders, SPLIT, HORIZON))
    assert one == other


def test_nothing_after_the_split_changes_the_weights():
    """Orders after the split, however many, leave the weights and the features as they were."""
    late = tuple((client, SPLIT + 1 + client % HORIZON, 10**6) for client in range(1, 1_501))
    before = tuple(row for row in ROWS if row[1] <= SPLIT)
    end = ((1, SPLIT + HORIZON, 100),)
    few = evaluate(history(before + end), SPLIT, HORIZON)
    many = evaluate(history(before + late + end), SPLIT, HORIZON)
    assert few.fitted == many.fitted
    assert (few.judged.chance == many.judged.chance).all()
    assert few.judged.seen.ordered.sum() != many.judged.seen.ordered.sum()


def test_no_label_of_the_window_is_a_feature():
    """Features of the fit end where its labels begin: an order in between changes labels alone."""
    day = SPLIT - HORIZON
    before = tuple(row for row in ROWS if row[1] <= day)
    after = tuple(row for row in ROWS if row[1] > day)
    assert (
        fit_window(history(before + after), day, HORIZON, 180.0).gap_prior_days
        == fit_window(history(before + after[::2]), day, HORIZON, 180.0).gap_prior_days
    )


def test_a_shop_with_a_signal_is_ranked():
    """Clients who order at rates of their own are told from those who stopped."""
    found = document(evaluate(history(ROWS), SPLIT, HORIZON))
    assert found["auc_all"] > found["recency"]["auc_all"] > 0.6
    assert found["ece"] < 0.08
    assert 0 < found["n_repeat"] < found["n"]
    assert found["weights"]["recency"] > 0


@pytest.mark.parametrize(
    ("split", "horizon", "line"),
    [
        (9_000, 60, "outside the data"),
        (20_000, 60, "outside the data"),
        (10_100, 200, "longer than the history"),
        (10_390, 60, "is not over"),
        (10_062, 60, "too few clients|ordered twice|too few labels"),
    ],
)
def test_a_question_that_the_data_cannot_answer_is_refused(split, horizon, line):
    """Each says in one line what is missing."""
    with pytest.raises(Misconfigured, match=line) as caught:
        evaluate(history(ROWS), split, horizon)
    assert "\n" not in str(caught.value)


def test_figures_that_cannot_be_told_are_null():
    """Without a single order after the split there is no AUC and no spend, and it says so."""
    quiet = tuple(row for row in ROWS if row[1] <= SPLIT)
    found = evaluate(history((*quiet, (9_999, SPLIT + HORIZON, 100))), SPLIT, HORIZON)
    figures = document(found)
    assert (figures["auc_all"], figures["spend_top_20"]) == (None, None)
    assert figures["churn"] == 1.0
    assert any("auc_all" in remark for remark in found.remarks)
