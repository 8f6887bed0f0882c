"""The bound on the rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc_relay.pace import TokenBucket


class Clock:
    """A clock that is moved by hand."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_a_full_bucket_lets_a_burst_through_at_once():
    """What fits into the burst needs no waiting, one record more does."""
    clock = Clock()
    bucket = TokenBucket(100, clock)
    bucket.take(25)
    assert bucket.wait_s() == 0
    bucket.take(1)
    assert bucket.wait_s() == pytest.approx(0.01)


def test_debt_is_paid_by_time():
    """After the wait that it names, the bucket lets through again."""
    clock = Clock()
    bucket = TokenBucket(100, clock)
    bucket.take(1025)
    assert bucket.wait_s() == pytest.approx(10)
    clock.now += 10.000001
    assert bucket.wait_s() == 0


def test_silence_saves_up_no_more_than_the_burst():
    """A long pause is no licence for a flood."""
    clock = Clock()
    bucket = TokenBucket(100, clock)
    clock.now += 3600
    bucket.take(125)
    assert bucket.wait_s() == pytest.approx(1)


@given(
    rate=st.integers(1, 100_000),
    steps=st.lists(st.tuples(st.floats(0, 10), st.integers(0, 5000)), max_size=50),
)
def test_the_rate_is_never_exceeded(rate, steps):
    """Whatever comes and whenever: written records stay below rate, burst and one batch."""
    clock = Clock()
    bucket = TokenBucket(rate, clock)
    written, largest = 0, 0
    for pause, count in steps:
        clock.now += pause + bucket.wait_s()
        bucket.take(count)
        written += count
        largest = max(largest, count)
        bound = rate * (clock.now - 1000.0) + bucket.burst + largest
        assert written <= bound * (1 + 1e-9) + 1e-6


def test_even_one_record_a_second_moves():
    """The slowest rate still lets one record through at once."""
    bucket = TokenBucket(1, Clock())
    assert bucket.burst >= 1
    assert bucket.wait_s() == 0
