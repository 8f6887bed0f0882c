"""When a change of the group makes what was read void."""

import pytest
from confluent_kafka import Message, TopicPartition

from cdc_relay.source import Source
from common import logs
from common.errors import Transient
from tests.integration.cdc_relay.running import ORDERS


class FakeConsumer:
    """A consumer that loses its partitions whenever it is told to."""

    def __init__(self):
        self.revokes = False
        self.answer: list[Message] = []

    def subscribe(self, _topics, *, on_assign, on_revoke):
        self._revoke = on_revoke

    def consume(self, _most, _seconds):
        if self.revokes:
            self.revokes = False
            self._revoke(self, [TopicPartition(ORDERS, 0)])
        return self.answer


@pytest.fixture
def consumer():
    """A consumer made of answers."""
    return FakeConsumer()


@pytest.fixture
def source(consumer):
    """A source that reads it."""
    return Source(consumer, logs.configure("cdc-relay", "CRITICAL"))


def test_a_change_of_the_group_with_nothing_in_hand_goes_by(source, consumer):
    """Nothing was read and nothing is on its way: reading goes on from what is committed."""
    consumer.revokes = True
    assert source.read(10, 0.0, holding=False).records == []


def test_a_change_of_the_group_makes_what_was_just_read_void(source, consumer):
    """Records read across a change may be another process's by now."""
    consumer.revokes = True
    consumer.answer = [Message(topic=ORDERS, partition=0, offset=1, value=b"x")]
    with pytest.raises(Transient, match="the group changed"):
        source.read(10, 0.0, holding=False)
    assert len(source.read(10, 0.0, holding=False).records) == 1


def test_a_change_of_the_group_makes_void_what_is_held_or_on_its_way(source, consumer):
    """Although nothing more came: what is held goes on from a place that may be committed anew."""
    consumer.revokes = True
    with pytest.raises(Transient, match="the group changed"):
        source.read(10, 0.0, holding=True)
    assert source.read(10, 0.0, holding=True).records == []
