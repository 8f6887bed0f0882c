"""Calls begin evenly over the time that one takes."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from mailer.writing.pace import SPREAD, Pace


@given(st.integers(1, 500), st.floats(0.01, 60), st.integers(2, 100))
def test_all_who_come_at_once_begin_evenly_over_a_part_of_a_call(
    concurrency: int, seconds: float, comers: int
):
    """The first begins at once, and between two lies the same time."""
    pace = Pace(concurrency)
    for _ in range(200):
        pace.took(seconds)
    waits = [pace.wait_s(100.0) for _ in range(comers)]
    gap = SPREAD * seconds / concurrency
    assert waits[0] == 0
    assert all(
        abs(later - earlier - gap) < 1e-6 * max(1, seconds)
        for earlier, later in itertools.pairwise(waits)
    )


def test_nobody_waits_before_the_first_call_ended():
    """How long a call takes is not known yet."""
    pace = Pace(4)
    assert [pace.wait_s(100.0) for _ in range(9)] == [0] * 9


def test_a_turn_that_nobody_took_is_not_kept():
    """After a pause nobody catches up by beginning at once."""
    pace = Pace(1)
    pace.took(10.0)
    pace.wait_s(0.0)
    assert pace.wait_s(1000.0) == 0
    assert pace.wait_s(1000.0) > 0
