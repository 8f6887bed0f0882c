"""How often a step is repeated, and for how long."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from scorer import writer
from scorer.writer import repeated


class Clock:
    """Time that passes only where the test says so."""

    def __init__(self):
        self.now_s = 100.0

    def monotonic(self):
        return self.now_s

    def sleep(self, seconds):
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch):
    """The writer's clock."""
    made = Clock()
    monkeypatch.setattr(writer, "time", made)
    return made


def error(*, retriable):
    """Make an error of the client's."""
    return KafkaException(KafkaError(KafkaError._TIMED_OUT, "late", retriable=retriable))


def test_all_attempts_together_stay_within_the_limit(clock):
    """A step that uses up what it is given is not given the whole of it again."""
    began = clock.now_s

    def late(left_s):
        clock.now_s += min(left_s, 20.0)
        raise error(retriable=True)

    with pytest.raises(KafkaException):
        repeated(late, limit_s=30.0)
    assert 20.0 < clock.now_s - began <= 30.0


def test_a_step_that_fails_at_once_is_not_repeated_without_a_pause(clock):
    """Errors that come back at once are asked for again a bounded number of times."""
    attempts = []

    def refused(left_s):
        attempts.append(left_s)
        raise error(retriable=True)

    with pytest.raises(KafkaException):
        repeated(refused, limit_s=30.0)
    assert 1 < len(attempts) <= 30.0 / writer.PAUSE_S + 1
    assert min(attempts) > 0


def test_what_may_not_be_repeated_is_not(clock):
    """An error that the client does not call retriable is raised at once."""
    attempts = []

    def refused(left_s):
        attempts.append(left_s)
        raise error(retriable=False)

    with pytest.raises(KafkaException):
        repeated(refused, limit_s=30.0)
    assert attempts == [30.0]


def test_a_step_that_comes_through_is_over(clock):
    """Nothing is repeated after a success."""
    answers = [error(retriable=True), None]

    def step(_left_s):
        answer = answers.pop(0)
        if answer is not None:
            raise answer

    repeated(step, limit_s=30.0)
    assert answers == []
