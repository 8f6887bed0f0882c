"""The loop over made-up adapters: what is on its way, what is only read, and in which order."""

import itertools
import json
import threading
from collections import deque

import pytest
from confluent_kafka import Message

from cdc_relay import relay as loop
from cdc_relay.draft import Draft
from cdc_relay.metrics import Metrics
from cdc_relay.pace import TokenBucket
from cdc_relay.relay import Relay
from cdc_relay.source import Batch
from cdc_relay.transactions import Aborted, Broken, Fenced
from common import logs
from common.errors import Transient
from common.health import Heartbeat
from common.partition import PartitionMap
from tests.integration.cdc_relay.running import NOTIFICATIONS, ORDERS, notification, order

LIMIT_S = 30.0
PARTITIONS = 2


def row(order_id):
    """Make a raw record of an order; its number is its offset."""
    topic, key, value = order("c", order_id, 42, order_id)
    return Message(
        topic=topic, partition=0, offset=order_id, key=key, value=value, timestamp=(1, 1)
    )


def told(state, offset):
    """Make a raw notification of an initial snapshot."""
    topic, key, value = notification(state)
    return Message(topic=topic, partition=0, offset=offset, key=key, value=value, timestamp=(1, 1))


class World:
    """A source and transactions made of answers, and one diary of all that is asked of them."""

    def __init__(self):
        self.diary = []
        self.metrics = Metrics()
        self.stop = threading.Event()
        self.stops_at_send = False
        self.paused = threading.Event()
        self.batches = deque()
        self.commits = deque()
        """What the coming commits do; without one they come through."""
        self.generation = itertools.count()
        self.committed = []
        self._open = []
        self._lock = threading.Lock()

    def note(self, *what):
        with self._lock:
            self.diary.append(what)

    def run(self, **settings):
        """Run the loop to its end."""
        Relay(
            self,
            self,
            lambda: {(ORDERS, 0): 8, (NOTIFICATIONS, 0): 1},
            partitions=PARTITIONS,
            batch_max=settings.get("batch_max", 2),
            batch_s=0.0,
            bucket=TokenBucket(settings.get("per_s", 1e9)),
            heartbeat=Heartbeat(LIMIT_S),
            metrics=self.metrics,
            log=logs.configure("cdc-relay", "CRITICAL"),
        ).run(self.stop)

    # The source.

    def read(self, most, seconds, *, holding):
        """Give the next batch; when there is none left, let the relay end."""
        if not self.batches:
            self.stop.set()
            return Batch([], {})
        answer = self.batches.popleft()
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        records = [one for one in answer if isinstance(one, Message)]
        ends = {one[0]: one[1] for one in answer if isinstance(one, tuple)}
        assert len(records) <= most
        self.note("read", *(one.offset() for one in records))
        return Batch(records, ends)

    def group(self):
        return next(self.generation)

    def go_back(self):
        self.note("go back")

    def ask(self):
        if self.stops_at_send and ("begin",) in self.diary:
            self.stop.set()

    def pause(self):
        self.paused.set()

    def idle(self, _seconds):
        self.stop.set()

    def resume(self):
        pass

    # The transactions.

    def begin(self):
        self._open = []
        self.note("begin")

    def send(self, records):
        for topic, value, _, partition, _ in records:
            said = json.loads(value)
            what = said["data"].get("order_id", said["type"])
            self._open.append((topic, partition, what))
            self.note("send", what)

    def commit(self, offsets, group):
        act = self.commits.popleft() if self.commits else None
        if act is not None:
            act()
        self.committed += self._open
        places = {(one.topic, one.partition): one.offset for one in offsets}
        self.note("commit", places, group)

    def abort(self):
        self.note("abort")

    def serve(self, seconds):
        pass

    def orders(self):
        """Return the orders that were committed, in order."""
        return [what for _, _, what in self.committed if isinstance(what, int)]

    def place(self, *what):
        """Return where something stands in the diary."""
        return next(i for i, noted in enumerate(self.diary) if noted[: len(what)] == what)


@pytest.fixture
def world(monkeypatch):
    """A world in which retries wait for nothing."""
    monkeypatch.setattr(loop, "BACKOFF_S", 0.0)
    return World()


def fail(error):
    """Return a commit that fails."""

    def act():
        raise error

    return act


def wait(event):
    """Wait for another thread of the test, not for ever."""
    assert event.wait(LIMIT_S), "it never came"


def test_the_next_batch_is_read_while_one_is_committed_and_sent_only_afterwards(world):
    """Reading and translating go on beside a commit; begin and send wait until it came through."""
    second_read = threading.Event()

    def second():
        second_read.set()
        return [row(3), row(4)]

    world.batches += [[row(1)], [row(2)], second]
    world.commits.append(lambda: wait(second_read))
    world.run()
    assert world.orders() == [1, 2, 3, 4]
    assert world.place("read", 3) < world.place("commit") < world.place("send", 3)


def test_a_batch_grows_while_another_one_is_committed(world):
    """What comes meanwhile goes into one transaction, up to the most that one may hold."""
    all_read = threading.Event()

    def last():
        all_read.set()
        return [row(4)]

    world.batches += [[row(1)], [], [row(2)], [row(3)], last]
    world.commits.append(lambda: wait(all_read))
    world.run(batch_max=3)
    assert [noted for noted in world.diary if noted == ("begin",)] == [("begin",)] * 2
    assert world.orders() == [1, 2, 3, 4]


def test_an_abort_with_the_next_batch_already_read_sends_nothing_of_it_and_goes_back(world):
    """The batch in hand is dropped with the aborted one: both are read again, each counts once."""
    second_read = threading.Event()

    def second():
        second_read.set()
        return [row(3), row(4)]

    def refused():
        wait(second_read)
        raise Aborted("refused")

    world.batches += [[row(1)], [row(2)], second, [row(1)], [row(2)], [row(3)], [row(4)]]
    world.commits.append(refused)
    world.run()
    back = world.place("go back")
    assert world.place("abort") < back
    assert ("send", 3) not in world.diary[:back]
    assert world.orders() == [1, 2, 3, 4]


def test_a_fenced_relay_sends_nothing_of_what_it_has_read(world):
    """It ends with the reason, and the batch in hand is left to the one that took over."""
    second_read = threading.Event()

    def second():
        second_read.set()
        return [row(3), row(4)]

    def fenced():
        wait(second_read)
        raise Fenced("another process took over")

    world.batches += [[row(1)], [row(2)], second]
    world.commits.append(fenced)
    with pytest.raises(Fenced):
        world.run()
    assert ("read", 3, 4) in world.diary
    assert ("send", 3) not in world.diary
    assert ("abort",) not in world.diary
    assert world.orders() == []


def test_a_stop_waits_for_what_is_on_its_way(world):
    """When ``run`` returns, the last transaction has come through and none is open."""
    world.batches += [[row(1)], [row(2)]]
    world.stops_at_send = True
    world.commits.append(lambda: wait(world.stop))
    world.run()
    assert world.orders() == [1, 2]
    assert world.diary[-1][0] == "commit"


def test_a_stop_with_a_batch_that_fails_is_still_a_stop(world):
    """It was aborted: the next process reads it again."""

    def refused():
        wait(world.stop)
        raise Aborted("refused")

    world.batches += [[row(1)], [row(2)]]
    world.stops_at_send = True
    world.commits.append(refused)
    world.run()
    assert world.orders() == []
    assert world.diary[-1] == ("abort",)


def test_an_error_of_reading_lets_what_is_on_its_way_arrive_before_going_back(world):
    """What is committed is settled before anybody asks where reading would go on."""
    failed = threading.Event()

    def lost():
        failed.set()
        return Transient("the group changed while a batch was read")

    world.batches += [[row(1)], [row(2)], lost, [row(3)], [row(4)]]
    world.commits.append(lambda: wait(failed))
    world.run()
    assert world.place("commit") < world.place("go back")
    assert world.orders() == [1, 2, 3, 4]


def test_batches_that_fail_in_a_row_are_the_end_although_each_is_read_well(world):
    """A turn that only sent something on its way has not succeeded yet."""
    world.batches += [[row(1)], [row(2)]] * loop.ATTEMPTS
    world.commits += [fail(Aborted("refused"))] * loop.ATTEMPTS
    with pytest.raises(Broken, match=f"{loop.ATTEMPTS} batches failed in a row"):
        world.run()


def test_offsets_go_with_the_membership_under_which_they_were_read(world):
    """The group is asked when a batch is complete, not when its turn to be committed comes."""
    world.batches += [[row(1)], [row(2)], [row(3)], [row(4)]]
    world.run()
    commits = [noted[1:] for noted in world.diary if noted[0] == "commit"]
    assert commits == [({(ORDERS, 0): 3}, 0), ({(ORDERS, 0): 5}, 1)]


def test_a_notification_is_heard_only_when_all_before_it_is_committed(world):
    """A snapshot's end is told after its last row was committed, however much was read ahead.

    The end of the topic that is reached while a batch is on its way holds when that is committed.
    """
    world.batches += [
        [told("COMPLETED", 0)],
        [row(6)],
        [row(7), ((ORDERS, 0), 8), ((NOTIFICATIONS, 0), 1)],
        [],
        [],
    ]
    world.run()
    ended = [i for i, noted in enumerate(world.diary) if noted == ("send", "snapshot.v1")]
    assert len(ended) == PARTITIONS
    rows = [i for i, noted in enumerate(world.diary) if noted[0] == "commit"]
    assert world.place("send", 7) < rows[-2] < ended[0] < rows[-1]
    # Until the end is told, its notification does not count as read; then it does.
    places = [world.diary[i][1].get((NOTIFICATIONS, 0)) for i in rows]
    assert places[0] == 0
    assert places[-1] == 1


def test_a_beginning_that_was_only_read_goes_back_with_the_rest(world):
    """A notification read behind an aborted batch is heard again, and told once."""
    began = threading.Event()

    def beginning():
        began.set()
        return [told("STARTED", 0)]

    def refused():
        wait(began)
        raise Aborted("refused")

    world.batches += [[row(1)], [row(2)], beginning, [row(1)], [row(2)], [told("STARTED", 0)], []]
    world.commits.append(refused)
    world.run()
    assert world.orders() == [1, 2]
    assert [what for _, _, what in world.committed].count("snapshot.v1") == PARTITIONS


def test_a_debt_is_waited_for_with_nothing_on_its_way(world):
    """Before a wait the last transaction is seen to arrive: its errors are not left lying."""
    world.batches += [[row(1)], [row(2)], [row(3)]]
    during_a_wait = []
    world.commits += [lambda: during_a_wait.append(world.paused.wait(0.2))] * 2
    world.run(batch_max=1, per_s=0.5)
    assert world.paused.is_set(), "nothing was waited for: the test proves nothing"
    assert during_a_wait == [False, False]


def poison(offset):
    """Make a raw record that is no change of a row."""
    value = b'{"type": "poison", "data": {}}'
    return Message(
        topic=ORDERS, partition=0, offset=offset, key=b"{}", value=value, timestamp=(1, 1)
    )


def written(partition, offset, timestamp_ms):
    """Make a raw record of an order that was written at a time."""
    topic, key, value = order("c", offset, 42, offset)
    return Message(
        topic=topic,
        partition=partition,
        offset=offset,
        key=key,
        value=value,
        timestamp=(1, timestamp_ms),
    )


def counted(world, name, **labels):
    """Return what Prometheus would be told."""
    return world.metrics.registry.get_sample_value(name, labels)


def test_what_prometheus_is_told_is_what_was_committed(world):
    """An aborted batch counts as aborted alone: neither as read nor as parked."""
    world.batches += [[row(1)], [poison(2)], [row(1)], [poison(2)]]
    world.commits.append(fail(Aborted("refused")))
    world.run()
    assert counted(world, "engage_relay_records_read_total") == 2
    assert counted(world, "engage_relay_records_written_total") == 1
    assert counted(world, "engage_relay_transactions_total", outcome="aborted") == 1
    assert counted(world, "engage_relay_transactions_total", outcome="committed") == 1
    assert counted(world, "engage_relay_transaction_seconds_count") == 1
    assert counted(world, "engage_relay_delay_seconds_count") == 1
    parked = {"topic": ORDERS, "reason": "unknown_shape"}
    assert counted(world, "engage_dead_letters_total", **parked) == 1


def test_a_batch_is_as_old_as_its_oldest_record():
    """A partition that is far behind shows, though the last record to arrive is another's."""
    draft = Draft(PartitionMap(PARTITIONS), logs.configure("cdc-relay", "CRITICAL"))
    draft.add(Batch([written(0, 1, 7_000)], {}), lambda *_: None)
    draft.add(Batch([written(1, 1, 2_000), written(0, 2, 9_000)], {}), lambda *_: None)
    assert draft.oldest_ms == 2_000
