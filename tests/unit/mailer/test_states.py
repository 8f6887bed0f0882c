"""The transition table is the design's, and nothing goes around it."""

import itertools
from typing import get_args

import pytest

from mailer.episodes.states import (
    BEGINNINGS,
    TRANSITIONS,
    WITHDRAWABLE,
    IllegalTransition,
    State,
    check,
)

DESIGN = """
held: pending recovered suppressed
pending: deferred writing recovered suppressed
deferred: pending recovered suppressed
writing: pending draft rejected failed recovered suppressed
draft: written rejected recovered suppressed
written: sending recovered suppressed
sending: sent uncertain
uncertain: sent failed
recovered: pending
rejected: pending
failed: pending
"""
ALLOWED = {
    (origin, target)
    for line in DESIGN.strip().splitlines()
    for origin, targets in [line.split(": ")]
    for target in targets.split()
}
STATES: tuple[State, ...] = get_args(State)


def test_the_table_is_the_designs():
    """Exactly the designed transitions are in the table."""
    assert {(o, t) for o, targets in TRANSITIONS.items() for t in targets} == ALLOWED
    assert set(TRANSITIONS) == set(STATES)


@pytest.mark.parametrize(("origin", "target"), sorted(set(itertools.product(STATES, STATES))))
def test_every_other_transition_raises(origin, target):
    """A transition that is not in the table raises."""
    if (origin, target) in ALLOWED:
        check(origin, target)
    else:
        with pytest.raises(IllegalTransition):
            check(origin, target)


def test_withdrawal_is_possible_exactly_where_the_table_allows_it():
    """The states that an order or a wish ends are those that lead to both ends."""
    for end in ("recovered", "suppressed"):
        assert {o for o, targets in TRANSITIONS.items() if end in targets} == WITHDRAWABLE


def test_nothing_begins_in_the_middle():
    """An episode begins held out, held or pending."""
    assert {"held_out", "held", "pending"} == BEGINNINGS
