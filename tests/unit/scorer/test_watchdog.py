"""The watchdog barks when commits or the settling of records stand still, and only then."""

import pytest

from scorer.watchdog import Progress, Standstill, Watchdog

PLACE = ("client.events", 0)


def state(settled=None, committed=None, oldest=None) -> Progress:
    return Progress(
        settled={} if settled is None else {PLACE: settled},
        committed={PLACE: committed},
        oldest={} if oldest is None else {PLACE: oldest},
    )


def test_commits_that_stand_still_while_events_flow_end_the_process():
    """Settled grows, committed does not: after the limit it is a standstill."""
    watchdog = Watchdog(commit_limit_s=10)
    for second in range(11):
        watchdog.look(state(settled=5 + second, committed=3), now_s=second)
    assert watchdog.problem(now_s=10) == "standing still: client.events/0"
    with pytest.raises(Standstill, match="commit"):
        watchdog.look(state(settled=99, committed=3), now_s=10.5)


def test_a_first_commit_that_never_comes_counts_as_well():
    """A partition that has never committed is watched like any other."""
    watchdog = Watchdog(commit_limit_s=10)
    watchdog.look(state(settled=5, committed=None), now_s=0)
    with pytest.raises(Standstill, match="commit"):
        watchdog.look(state(settled=6, committed=None), now_s=11)


def test_lagging_but_moving_commits_are_fine():
    """Under load commits always lag; they must only move."""
    watchdog = Watchdog(commit_limit_s=10)
    for second in range(0, 200, 5):
        watchdog.look(state(settled=second + 50, committed=second), now_s=second)
    assert watchdog.problem(now_s=200) is None


def test_quiet_is_no_standstill():
    """When everything is settled and committed, hours may pass."""
    watchdog = Watchdog(commit_limit_s=10, settle_limit_s=10)
    for second in range(0, 10_000, 100):
        watchdog.look(state(settled=5, committed=5), now_s=second)


def test_a_run_that_is_never_settled_ends_the_process():
    """A record that was fetched and got lost on its way stays the oldest in flight for ever."""
    watchdog = Watchdog(settle_limit_s=10)
    watchdog.look(state(oldest=7), now_s=0)
    watchdog.look(state(oldest=7), now_s=9)
    with pytest.raises(Standstill, match="in flight"):
        watchdog.look(state(oldest=7), now_s=11)
