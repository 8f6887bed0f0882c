"""The fault plan meets the requests it names, as often as it says."""

import pytest
from pydantic import ValidationError

from sandbox.faults import Fault, Plan


def plan_of(*faults):
    """A plan in force."""
    plan = Plan()
    plan.replace(list(faults))
    return plan


def kinds(plan, *texts):
    """The kinds of fault that requests with these texts meet, in turn."""
    return [getattr(plan.meet("chat", text), "kind", None) for text in texts]


def test_a_fault_meets_for_ever_unless_told():
    """Without a number of times a fault meets every request."""
    assert kinds(plan_of(Fault(kind="status")), "a", "b", "c") == ["status"] * 3


def test_times_and_skip_bound_a_fault():
    """A fault can let requests pass first, and end after some."""
    plan = plan_of(Fault(kind="refusal", skip=1, times=2))
    assert kinds(plan, "a", "b", "c", "d") == [None, "refusal", "refusal", None]


def test_a_fault_can_ask_for_a_text():
    """A fault with a text meets only requests that hold it, and counts only those."""
    plan = plan_of(Fault(kind="length", contains="Anna", times=1), Fault(kind="empty", skip=2))
    assert kinds(plan, "Bob", "Anna", "Anna", "Bob") == [None, "length", None, "empty"]


def test_paths_are_apart():
    """A fault of one route leaves the others alone."""
    plan = plan_of(Fault(kind="status", path="key", status=401))
    assert plan.meet("chat", "") is None
    assert plan.meet("key", "") is not None


def test_unknown_kinds_are_refused():
    """A plan that names no known fault is an error of the test."""
    with pytest.raises(ValidationError):
        Fault(kind="surprise")
