"""Taking partitions, with a broker that answers late."""

import asyncio
import threading

import pytest

from common.cluster import Cluster
from common.errors import Transient
from scorer import outbox as module
from scorer.outbox import Outbox

LIMIT_S = 30.0


class Broker:
    """Makes writers, each as soon as it is allowed to; knows whose turn it was to fence."""

    def __init__(self):
        self.asked = threading.Semaphore(0)
        self.answers = threading.Semaphore(0)
        self.fencings = []
        self.closed = []

    def open(self, _servers, name, _partition, _changelog):
        """Take over a name once the broker answers, as ``init_transactions`` does."""
        self.asked.release()
        assert self.answers.acquire(timeout=LIMIT_S)
        self.fencings.append(name)
        return Writer(self, len(self.fencings))


class Writer:
    """A writer that only knows whether it was closed."""

    def __init__(self, broker, number):
        self._broker = broker
        self.number = number

    def close(self):
        self._broker.closed.append(self.number)

    def settle(self, _letters, _rows):
        return self.number


@pytest.fixture
def broker(monkeypatch):
    """A broker that answers when it is told to."""
    made = Broker()
    monkeypatch.setattr(module, "Writer", made.open)
    return made


async def asked(broker):
    """Wait until a thread has asked the broker."""
    assert await asyncio.to_thread(broker.asked.acquire, timeout=LIMIT_S)


async def given_up(outbox, broker):
    """Begin to take partition 0, and stop waiting while the broker has not answered yet."""
    taking = asyncio.create_task(outbox.take([0]))
    await asked(broker)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking


async def test_a_take_that_was_given_up_never_fences_the_one_after_it(broker):
    """The later one asks only when the earlier one was answered: it fences last, and it writes."""
    outbox = Outbox(Cluster("nowhere"), "scorer", "changelog")
    await given_up(outbox, broker)
    later = asyncio.create_task(outbox.take([0]))
    # Two answers: were they asked for at once, either of them might come last.
    broker.answers.release()
    await asked(broker)
    assert len(broker.fencings) == 1, "both were asked for at once"
    assert broker.closed == [1], "the writer that came for nobody was kept"
    broker.answers.release()
    await later
    assert await outbox.settle(0, [], {}) == 2
    await outbox.stop()


async def test_partitions_are_left_only_when_none_is_being_taken(broker):
    """Before another worker may have them, what was asked for them has been answered."""
    outbox = Outbox(Cluster("nowhere"), "scorer", "changelog")
    await given_up(outbox, broker)
    leaving = asyncio.create_task(outbox.idle())
    assert not (await asyncio.wait([leaving], timeout=0.05))[0]
    broker.answers.release()
    await leaving
    assert broker.fencings == ["scorer-0"]
    await outbox.stop()
    assert broker.closed == [1]


async def test_a_take_that_is_never_answered_is_no_reason_to_wait_for_ever(broker, monkeypatch):
    """Beyond the limit it is an error, which ends the process and with it the thread."""
    monkeypatch.setattr(module, "THREAD_LIMIT_S", 0.05)
    outbox = Outbox(Cluster("nowhere"), "scorer", "changelog")
    await given_up(outbox, broker)
    with pytest.raises(Transient, match="nothing was heard"):
        await outbox.idle()
    broker.answers.release()


async def test_a_partition_that_could_not_be_taken_does_not_keep_the_others(broker, monkeypatch):
    """What was taken beside a failure is let go of by the next take."""

    def refuse(servers, name, partition, changelog):
        if name.endswith("-1") and not broker.fencings:
            raise Transient("no answer")
        return Broker.open(broker, servers, name, partition, changelog)

    monkeypatch.setattr(module, "Writer", refuse)
    outbox = Outbox(Cluster("nowhere"), "scorer", "changelog")
    with pytest.raises(Transient):
        await outbox.take([0, 1])
    for _ in range(3):
        broker.answers.release()
    await outbox.take([0, 1])
    assert broker.fencings[0] == "scorer-0"
    assert broker.closed == [1]
    assert sorted(broker.fencings[1:]) == ["scorer-0", "scorer-1"]
    await outbox.stop()
