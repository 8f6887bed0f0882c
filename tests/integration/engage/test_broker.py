"""Kafka as operators look at it, by consumers that are kept from one question to the next."""

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from common import kafka as door
from common.cluster import Cluster
from common.topics import SCORES
from engage.broker import Broker
from tests.servers import PARTITIONS

RECORDS = 50
TOPIC = SCORES.name
GROUP = "projector"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The groups for which consumers were made, in order."""
    groups: list[str] = []
    make = door.consumer

    def counted(cluster: Cluster, group: str, extra: Any = None) -> Consumer:
        groups.append(group)
        return make(cluster, group, extra)

    monkeypatch.setattr(door, "consumer", counted)
    return groups


@pytest.fixture
def broker(kafka: str) -> Iterator[Broker]:
    """A broker whose consumers are kept, with records in all partitions but the last."""
    producer = Producer({"bootstrap.servers": kafka})
    for number in range(RECORDS):
        producer.produce(TOPIC, b"{}", str(number).encode(), number % (PARTITIONS - 1))
    assert producer.flush(30) == 0
    broker = Broker(Cluster(kafka), keep=True)
    yield broker
    broker.close()


def test_the_same_consumers_answer_again_and_again(broker: Broker, made: list[str]):
    """What one reading left, paused or unread, is not in the next one."""
    begins, ends = broker.begins([TOPIC]), broker.ends([TOPIC])
    there = sum(ends.values()) - sum(begins.values())
    for _ in range(3):
        firsts = [(m.partition(), m.offset()) for m in broker.read(begins, ends, first=True)]
        assert sorted(firsts) == [(p, begins[TOPIC, p]) for p in range(PARTITIONS - 1)]
        next(broker.read(begins, ends))
        assert sum(1 for _ in broker.read(begins, ends)) == there
        assert broker.committed(GROUP) == {}
    assert made == ["engage-look", GROUP]


def test_who_reads_while_another_reads_has_a_consumer_of_their_own(broker: Broker, made: list[str]):
    """Neither takes the other's records."""
    begins, ends = broker.begins([TOPIC]), broker.ends([TOPIC])
    one, other = broker.read(begins, ends), broker.read(begins, ends)
    told = [next(one), next(other), *one, *other]
    assert len(told) == 2 * (sum(ends.values()) - sum(begins.values()))
    assert made == ["engage-look", "engage-look"]


def test_what_was_committed_meanwhile_is_told(broker: Broker, kafka: str):
    """And a topic that was made meanwhile is known after another look."""
    group = "mailer"
    writer = door.consumer(Cluster(kafka), group)
    assert broker.committed(group) == {}
    writer.commit(offsets=[TopicPartition(TOPIC, 0, 7)], asynchronous=False)
    writer.close()
    assert broker.committed(group) == {(TOPIC, 0): 7}

    admin = door.admin(Cluster(kafka))
    (made,) = admin.create_topics([door.NewTopic("anew", 1, 1)]).values()
    made.result(30)
    broker.look_again()
    assert broker.topics["anew"] == 1
