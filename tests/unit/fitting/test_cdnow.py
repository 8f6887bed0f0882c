"""On CDNOW the score reaches the figures that were promised, by the ways of the commands."""

import numpy as np
import pytest

from common.score.policy import Policy
from fitting.at_risk import quality
from fitting.evaluation import document, evaluate
from fitting.orders_file import Asked, load
from tests.unit.fitting.shops import ENDS, cdnow_csv, day_of

HORIZON = 90


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory):
    """All of CDNOW, read from a file as score-eval reads it."""
    return load(cdnow_csv(tmp_path_factory.mktemp("cdnow")), Asked())


@pytest.fixture(scope="module")
def figures(cdnow):
    """The figures of the ten rolling splits."""
    return [document(evaluate(cdnow.orders, day_of(end), HORIZON)) for end in ENDS]


def mean(figures, name):
    return np.mean([one[name] for one in figures])


def test_the_ten_splits_reach_the_bars(figures):
    """Ranking of all and of repeat clients, and calibration, are as good as promised."""
    assert mean(figures, "auc_all") >= 0.792
    assert mean(figures, "auc_repeat") >= 0.734
    assert mean(figures, "ece") <= 0.020


def test_every_split_beats_recency(figures):
    """No split is ranked better by recency alone, neither all clients nor repeat clients."""
    for one in figures:
        assert one["auc_all"] > one["recency"]["auc_all"]
        assert one["auc_repeat"] > one["recency"]["auc_repeat"]


def test_the_at_risk_rule_is_precise_and_misses_few(cdnow):
    """Warnings after the orders of one autumn are right and come before the lapses."""
    first, last = day_of("1997-10-01"), day_of("1997-12-29")
    policy = evaluate(cdnow.orders, first - 1, HORIZON).fitted.policy(Policy())
    rule = quality(cdnow.orders, first, last, policy)
    assert rule.precision >= 0.64
    assert rule.caught >= 0.88
    assert rule.silent == pytest.approx(0.397, abs=0.005)


def test_every_line_is_accounted_for(cdnow):
    """Lines are counted as orders or left out for a reason, and the numbers add up."""
    notes = cdnow.notes
    assert notes.rows == 69_659
    left_out = sum(notes[1:7])
    assert notes.counted + left_out == notes.rows
    assert notes.zero > 0
