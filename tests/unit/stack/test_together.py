"""Jobs side by side: the cause is reported, not what follows from it."""

import threading

import pytest

from stack import together
from stack.family import Closing

LIMIT_S = 10


def test_all_jobs_run_at_the_same_time():
    """Two jobs that wait for each other both end."""
    barrier = threading.Barrier(2, timeout=LIMIT_S)

    def meets() -> None:
        barrier.wait()

    together.run([meets, meets], lambda: None)


def test_the_cause_is_raised_and_the_others_are_called_off():
    """A job that was called off says so; its neighbour's error is the one that counts."""
    called_off = threading.Event()

    def waits() -> None:
        assert called_off.wait(LIMIT_S)
        raise Closing("waits")

    def fails() -> None:
        raise ValueError("the cause")

    with pytest.raises(ValueError, match="the cause"):
        together.run([waits, fails], called_off.set)


def test_what_follows_from_being_called_off_is_not_the_cause():
    """A query whose server was stopped under it fails in its own way; the first error counts."""
    called_off = threading.Event()

    def queries() -> None:
        assert called_off.wait(LIMIT_S)
        raise ConnectionError("closed in the middle of operation")

    def fails() -> None:
        raise ValueError("the cause")

    with pytest.raises(ValueError, match="the cause"):
        together.run([queries, fails], called_off.set)
