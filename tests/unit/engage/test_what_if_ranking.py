"""How well a what-if's back-test says that scores rank: the same figures as ``score-eval``."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.what_if_ranking import auc, calibration_error
from fitting.history import Outcome
from fitting.metrics import ece, figures

CLIENTS = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=80)


@given(CLIENTS)
def test_both_say_what_the_evaluation_says(clients: list[tuple[int, bool]]) -> None:
    """Whatever the scores, also many equal ones: AUC and calibration error of the two agree."""
    chance = np.array([score / 20 for score, _ in clients])
    silent = np.array([left for _, left in clients])
    seen = Outcome(ordered=~silent, spend=np.zeros(len(clients)))
    told = figures(chance, seen, np.ones(len(clients), bool)).auc_all
    assert auc(chance, silent) == (None if told is None else pytest.approx(told))
    assert calibration_error(chance, silent) == pytest.approx(ece(chance, ~silent))


def test_nobody_is_ranked() -> None:
    """Without clients there is no figure."""
    none, nobody = np.array([]), np.array([], bool)
    assert (auc(none, nobody), calibration_error(none, nobody)) == (None, None)
