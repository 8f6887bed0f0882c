"""The relay as a process on a real broker, fed with raw records as Debezium writes them."""

import itertools
import time
from collections import Counter
from functools import partial

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from common.cluster import Cluster
from common.codec import decode
from common.kafka import verify
from common.partition import partition_of
from common.topics import TOPICS
from tests.groups import ends
from tests.integration.cdc_relay.running import (
    BACKFILL,
    CLIENTS,
    CONTROL,
    LIVE,
    NOTIFICATIONS,
    ORDERS,
    POLICIES,
    change,
    command,
    environment,
    notification,
    order,
    reading,
    relay,
    wait_for,
    write,
)
from tests.servers import PARTITIONS

fresh = itertools.count(1_000)
"""Ids that no other test of this run uses."""


def some_ids(count):
    """Return ids of this test alone."""
    return [next(fresh) for _ in range(count)]


def of(records, *clients):
    """Return the records about these clients."""
    names = {str(client) for client in clients}
    return [record for record in records if record.key.split("/")[0] in names]


def test_changes_arrive_on_the_right_lanes_and_partitions(kafka, tmp_path):
    """Each kind of change becomes its events, on the partition of its client, keyed by entity."""
    old, new, order_id = some_ids(3)
    row = {"id": order_id, "client_id": old, "version": 2}
    with relay(kafka, tmp_path) as running, reading(kafka, LIVE, BACKFILL) as lanes:
        running.ready()
        assert running.health("/livez") == 200
        write(
            kafka,
            change(CLIENTS, "r", old, None, {"id": old, "version": 1}),
            order("c", order_id, old, 2),
            order("u", order_id, new, 3, before=row),
            order("d", order_id, new, 3),
            change(CLIENTS, "d", new, {"id": new, "version": 9}, None),
        )
        records = of(lanes.count(11), old, new)
    for record in records:
        assert record.partition == partition_of(int(record.key.split("/")[0]), PARTITIONS)
        assert record.value is None or decode(record.raw).data.version

    def told(lane, key):
        return [
            r.value and (r.value["type"], r.data["version"])
            for r in records
            if (r.topic, r.key) == (lane, key)
        ]

    here, gone = ("order.changed.v1", "order.removed.v1")
    assert told(BACKFILL, f"{old}/client") == [("client.changed.v1", 1)]
    assert told(LIVE, f"{old}/order/{order_id}") == [(here, 2), (gone, 3)]
    assert told(BACKFILL, f"{old}/order/{order_id}") == [(gone, 3)]
    assert told(LIVE, f"{new}/order/{order_id}") == [(here, 3), (gone, 3)]
    assert told(BACKFILL, f"{new}/order/{order_id}") == [(gone, 3)]
    for lane in (LIVE, BACKFILL):
        assert told(lane, f"{new}/erased") == [("client.erased.v1", 9)]
        assert told(lane, f"{new}/client") == [None]
    assert len(records) == 11


def test_a_policy_reaches_every_partition(kafka, tmp_path):
    """Policies are data on the control topic, the same in each partition."""
    [policy] = some_ids(1)
    document = f'{{"version": {policy}}}'
    after = {"id": policy, "version": 4, "document": document}
    with relay(kafka, tmp_path) as running, reading(kafka, CONTROL) as control:
        running.ready()
        write(kafka, change(POLICIES, "c", policy, None, after))
        records = control.count(PARTITIONS)
    assert sorted(record.partition for record in records) == list(range(PARTITIONS))
    assert {record.key for record in records} == {f"policy/{policy}"}
    assert {decode(record.raw).data.policy.version for record in records} == {policy}


def test_poison_is_parked_with_its_reason_while_neighbours_flow(kafka, tmp_path):
    """Records that cannot be used stand on the dead-letter topic as they came; others pass."""
    client, before, after = some_ids(3)
    topics = [f"{topic}.dlq" for topic in (ORDERS, NOTIFICATIONS)]
    with (
        relay(kafka, tmp_path) as running,
        reading(kafka, LIVE) as lane,
        reading(kafka, *topics) as parked,
    ):
        running.ready()
        write(
            kafka,
            order("c", before, client, 1),
            (ORDERS, b"a key", b"this is not JSON"),
            (ORDERS, b"k", b'{"payload": {"op": "c"}}'),
            (NOTIFICATIONS, b"k", b"{}"),
            (ORDERS, b"tombstone", None),
            order("c", after, client, 2),
        )
        events = lane.count(2)
        letters = sorted(parked.count(3), key=lambda letter: letter.headers["reason"])
    assert [event.key for event in events] == [f"{client}/order/{n}" for n in (before, after)]
    assert [(letter.topic, letter.headers["reason"], letter.raw) for letter in letters] == [
        (f"{ORDERS}.dlq", "not_json", b"this is not JSON"),
        *sorted(
            [
                (f"{NOTIFICATIONS}.dlq", "unknown_shape", b"{}"),
                (f"{ORDERS}.dlq", "unknown_shape", b'{"payload": {"op": "c"}}'),
            ],
            key=lambda found: [letter.raw for letter in letters].index(found[2]),
        ),
    ]
    assert letters[0].key == "a key"
    assert letters[0].headers.keys() >= {"detail", "topic", "partition", "offset", "attempt"}
    assert letters[0].headers["topic"] == ORDERS
    assert running.logged("record parked", reason="not_json", topic=ORDERS)


class OpenTransaction:
    """Sees whether a lane holds records of a transaction that is still open."""

    def __init__(self, servers):
        conf = {"bootstrap.servers": servers, "group.id": "looks-on"}
        self._all = Consumer({**conf, "isolation.level": "read_uncommitted"})
        self._committed = Consumer({**conf, "isolation.level": "read_committed"})

    def __call__(self):
        """Return whether any partition's end lies beyond what is stable."""
        places = [TopicPartition(LIVE, partition) for partition in range(PARTITIONS)]
        return any(ends(self._all, place)[1] > ends(self._committed, place)[1] for place in places)

    def close(self):
        """Stop looking."""
        self._all.close()
        self._committed.close()


@pytest.fixture
def looks_on(kafka):
    """Sees whether a transaction is open."""
    found = OpenTransaction(kafka)
    yield found
    found.close()


def test_killed_in_mid_batch_five_times_nothing_is_lost_or_half_written(kafka, tmp_path, looks_on):
    """From raw records to committed events each record counts exactly once, kills or not."""
    clients = some_ids(50)
    moves = [(order_id, clients[order_id % 50]) for order_id in some_ids(30_000)]
    before = [{"id": order_id, "client_id": client, "version": 1} for order_id, client in moves]
    killed = 0
    with reading(kafka, LIVE) as lane:
        write(
            kafka,
            *(
                order("u", order_id, client + 1_000_000, 2, before=row)
                for (order_id, client), row in zip(moves, before, strict=True)
            ),
        )
        for _ in range(5):
            with relay(kafka, tmp_path) as running:
                wait_for("a transaction is open", looks_on)
                running.kill()
                killed += looks_on()
        with relay(kafka, tmp_path, RELAY_RECORDS_PER_S=1_000_000) as running:
            lane.count(2 * len(moves))
            assert running.stop() == 0
        records = lane.to_the_end()
    assert killed >= 4, "the kills did not hit open transactions: the test proves nothing"
    seen = Counter((record.key, record.value["type"]) for record in records)
    expected = Counter(
        {
            key: 1
            for order_id, client in moves
            for key in (
                (f"{client}/order/{order_id}", "order.removed.v1"),
                (f"{client + 1_000_000}/order/{order_id}", "order.changed.v1"),
            )
        }
    )
    assert seen == expected


def test_a_second_relay_fences_the_first(kafka, tmp_path):
    """Whoever starts last writes; the former ends by itself and says why."""
    client, first_order, second_order = some_ids(3)
    with (
        reading(kafka, LIVE) as lane,
        relay(kafka, tmp_path) as first,
    ):
        first.ready()
        write(kafka, order("c", first_order, client, 1))
        lane.count(1)
        with relay(kafka, tmp_path) as second:
            assert first.process.wait(60) == 1
            assert "another process took over" in first.text()
            assert "Traceback" not in first.text()
            second.ready()
            write(kafka, order("c", second_order, client, 2))
            records = lane.count(2)
    assert [record.data["order_id"] for record in records] == [first_order, second_order]


def test_stopped_in_mid_load_three_times_every_record_counts_once(kafka, tmp_path, looks_on):
    """A stop while one batch is committed and the next one read loses and repeats nothing."""
    [client] = some_ids(1)
    orders = some_ids(60_000)
    stopped = 0
    with reading(kafka, LIVE) as lane:
        write(kafka, *(order("c", order_id, client, 1) for order_id in orders))
        for _ in range(3):
            with relay(kafka, tmp_path, RELAY_RECORDS_PER_S=1_000_000) as running:
                wait_for("a transaction is open", looks_on)
                assert running.stop() == 0
                stopped += not running.logged("a batch failed")
                assert not looks_on()
        with relay(kafka, tmp_path, RELAY_RECORDS_PER_S=1_000_000) as running:
            lane.count(len(orders))
            assert running.stop() == 0
        records = lane.to_the_end()
    assert stopped == 3
    assert [record.data["order_id"] for record in records] == orders


def test_fenced_in_mid_load_every_record_counts_once(kafka, tmp_path, looks_on):
    """Whoever takes over goes on exactly where the former's last commit ended."""
    [client] = some_ids(1)
    orders = some_ids(60_000)
    with reading(kafka, LIVE) as lane:
        write(kafka, *(order("c", order_id, client, 1) for order_id in orders))
        with relay(kafka, tmp_path, RELAY_RECORDS_PER_S=20_000) as first:
            wait_for("a transaction is open", looks_on)
            with relay(kafka, tmp_path, RELAY_RECORDS_PER_S=1_000_000) as second:
                assert first.process.wait(60) == 1
                assert "another process took over" in first.text()
                lane.count(len(orders))
                assert second.stop() == 0
        records = lane.to_the_end()
    assert [record.data["order_id"] for record in records] == orders


@pytest.mark.parametrize("rate", [400])
def test_the_rate_is_bounded(kafka, tmp_path, rate):
    """A backlog flows at the set rate: not faster, not much slower, and nobody is evicted."""
    [client] = some_ids(1)
    orders = some_ids(4 * rate)
    with relay(kafka, tmp_path, RELAY_RECORDS_PER_S=rate) as running, reading(kafka, LIVE) as lane:
        running.ready()
        write(kafka, *(order("c", order_id, client, 1) for order_id in orders))
        lane.count(1)
        began = time.monotonic()
        lane.count(len(orders))
        took = time.monotonic() - began
        assert not running.logged("a batch failed")
        assert not [e for e in running.log() if e["event"] == "partitions revoked"]
    # A quarter of a second's worth may go at once, and the last batch is paid for afterwards.
    assert 3.3 < took < 12


def test_a_long_wait_keeps_the_membership(kafka, tmp_path):
    """Waits longer than the group's session time go by polling: the relay stays a member."""
    policies = some_ids(3)
    with (
        relay(kafka, tmp_path, RELAY_RECORDS_PER_S=1) as running,
        reading(kafka, CONTROL) as control,
    ):
        running.ready()
        began = time.monotonic()
        for policy in policies:
            document = f'{{"version": {policy}}}'
            after = {"id": policy, "version": 4, "document": document}
            write(kafka, change(POLICIES, "c", policy, None, after))
        control.count(3 * PARTITIONS)
        took = time.monotonic() - began
        assert running.health("/livez") == 200
        assert not [e for e in running.log() if e["event"] == "partitions revoked"]
        assert not running.logged("a batch failed")
    assert took > 2 * (PARTITIONS - 1)


def test_a_change_of_the_group_in_mid_load_loses_nothing(kafka, tmp_path):
    """A stranger who joins and leaves the group makes the relay go back, and no event is lost."""
    [client] = some_ids(1)
    orders = some_ids(20_000)
    stranger = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": "cdc-relay",
            "enable.auto.commit": False,
            "session.timeout.ms": 6000,
        }
    )
    with (
        relay(kafka, tmp_path, RELAY_RECORDS_PER_S=4000) as running,
        reading(kafka, LIVE) as lane,
    ):
        running.ready()
        write(kafka, *(order("c", order_id, client, 1) for order_id in orders))
        lane.count(100)
        stranger.subscribe([ORDERS, CLIENTS, POLICIES, NOTIFICATIONS])
        wait_for(
            "the relay gives something up",
            lambda: stranger.poll(0.1) or running.logged("partitions revoked"),
        )
        stranger.close()
        lane.until(lambda records: {r.data["order_id"] for r in records} == set(orders))


def active(records):
    """Return what the control records say of snapshots, as (partition, active)."""
    return [(r.partition, r.data["active"]) for r in records if r.key == "snapshot"]


ALL = range(PARTITIONS)


def test_a_snapshot_is_raised_at_once_and_cleared_after_its_rows(kafka, tmp_path):
    """Cleared in every partition, and not before every row it read can be read on the lane."""
    [client] = some_ids(1)
    orders = some_ids(1000)
    with (
        relay(kafka, tmp_path, RELAY_RECORDS_PER_S=500) as running,
        reading(kafka, CONTROL) as control,
        reading(kafka, BACKFILL) as lane,
    ):
        running.ready()
        write(kafka, notification("STARTED"))
        control.until(lambda records: Counter(active(records)) == {(p, True): 1 for p in ALL})
        write(kafka, *(order("r", order_id, client, 1) for order_id in orders))
        write(kafka, notification("COMPLETED"))
        control.until(lambda records: (0, False) in active(records))
        seen = {record.data["order_id"] for record in lane.to_the_end()}
        assert seen == set(orders)
        control.until(lambda records: sum(1 for _, on in active(records) if not on) >= PARTITIONS)
    assert Counter(active(control.records)) == {(p, on): 1 for p in ALL for on in (True, False)}


def test_a_restart_between_completion_and_clearing_clears(kafka, tmp_path):
    """Killed before it could pass a snapshot's end on, the relay hears it again.

    What holds the end back is a transaction whose records stand on the raw topic, not yet
    committed: the last stable offset does not show them, the end of the topic does.
    """
    client, *orders = some_ids(20)
    writer = Producer({"bootstrap.servers": kafka, "transactional.id": "debezium-of-the-test"})
    writer.init_transactions(30)
    with reading(kafka, CONTROL) as control, reading(kafka, BACKFILL) as lane:
        with relay(kafka, tmp_path) as running:
            running.ready()
            writer.begin_transaction()
            for order_id in orders:
                topic, key, value = order("r", order_id, client, 1)
                writer.produce(topic, value, key, 0)
            writer.flush(30)
            write(kafka, notification("COMPLETED"))
            wait_for(
                "the completion was heard",
                lambda: running.logged("snapshot notification", state="COMPLETED"),
            )
            running.kill()
        with relay(kafka, tmp_path) as running:
            wait_for(
                "the completion was heard again",
                lambda: running.logged("snapshot notification", state="COMPLETED"),
            )
            assert active(control.to_the_end()) == []
            writer.commit_transaction(30)
            control.until(lambda records: {(p, False) for p in ALL} == set(active(records)))
            assert {record.data["order_id"] for record in lane.to_the_end()} == set(orders)


def test_skipping_clears_and_incremental_snapshots_do_nothing(kafka, tmp_path):
    """A connector that needs no snapshot clears the flag; incremental ones touch it not."""
    [client, order_id] = some_ids(2)
    with (
        relay(kafka, tmp_path) as running,
        reading(kafka, CONTROL) as control,
        reading(kafka, LIVE) as lane,
    ):
        running.ready()
        write(
            kafka,
            notification("STARTED", "Incremental Snapshot"),
            notification("COMPLETED", "Incremental Snapshot"),
            order("c", order_id, client, 1),
        )
        lane.count(1)
        wait_for(
            "the notification was heard",
            lambda: running.logged(
                "snapshot notification", kind="Incremental Snapshot", state="COMPLETED"
            ),
        )
        assert active(control.to_the_end()) == []
        write(kafka, notification("SKIPPED"))
        control.until(lambda records: set(active(records)) == {(p, False) for p in ALL})


def test_the_end_of_a_former_snapshot_does_not_clear_the_next_one(kafka, tmp_path):
    """An end that is heard late, with a beginning behind it, is not passed on."""
    write(kafka, notification("SKIPPED"), notification("STARTED"))
    with reading(kafka, CONTROL) as control, relay(kafka, tmp_path, RELAY_BATCH_MAX=1) as running:
        running.ready()
        control.until(lambda records: Counter(active(records)) == {(p, True): 1 for p in ALL})
        write(kafka, notification("COMPLETED"))
        control.until(lambda records: {(p, False) for p in ALL} <= set(active(records)))
    assert Counter(active(control.records)) == {(p, on): 1 for p in ALL for on in (True, False)}


def _last_is(order_id, records):
    return bool(records) and records[-1].data["order_id"] == order_id


def test_a_stop_is_tidy_and_a_start_goes_on_where_it_stopped(kafka, tmp_path):
    """SIGTERM ends with 0 and leaves nothing open: nothing comes twice after the next start."""
    [client, first, second] = some_ids(3)
    with reading(kafka, LIVE) as lane:
        for order_id in (first, second):
            with relay(kafka, tmp_path) as running:
                running.ready()
                write(kafka, order("c", order_id, client, 1))
                lane.until(partial(_last_is, order_id))
                assert running.stop() == 0
                assert running.logged("stopped")
        records = lane.to_the_end()
    assert [record.data["order_id"] for record in records] == [first, second]


def test_duplicates_pass_and_are_counted(kafka, tmp_path):
    """The relay is stateless: what comes twice goes out twice, and its log says so."""
    client, order_id = some_ids(2)
    with relay(kafka, tmp_path) as running, reading(kafka, LIVE) as lane:
        running.ready()
        write(kafka, order("c", order_id, client, 7), order("c", order_id, client, 7))
        records = lane.count(2)
        assert records[0].value["id"] == records[1].value["id"]
        assert running.stop() == 0
        assert running.logged("relayed", duplicates=1)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"KAFKA_BOOTSTRAP_SERVERS": ""}, "KAFKA_BOOTSTRAP_SERVERS"),
        ({"TOPIC_PARTITIONS": "7"}, "partitions, not 7"),
        ({"RELAY_RECORDS_PER_S": "0"}, "RELAY_RECORDS_PER_S"),
    ],
)
def test_a_wrong_setting_is_one_clear_line_and_exit_code_2(kafka, settings, says):
    """The relay does not start on a set-up that cannot work."""
    done = command({**environment(kafka), **settings})
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert len([x for x in done.stderr.splitlines() if not x.startswith("{")]) == 1


def test_topics_are_created_once(kafka):
    """The command for topics may be repeated: it makes only what is missing."""
    done = command(environment(kafka), "topics")
    assert done.returncode == 0
    assert done.stdout.startswith("topics: 0 created")


def test_a_limit_that_is_too_small_is_named_at_the_start_and_mended_by_the_command(kafka):
    """A topic from before takes only small records: one clear line, until the command was run."""
    parked = f"{ORDERS}.dlq"
    small = ConfigEntry("max.message.bytes", "1048588", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource("topic", parked, incremental_configs=[small])
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(30)
    done = command(environment(kafka))
    assert done.returncode == 2
    [line] = [x for x in done.stderr.splitlines() if not x.startswith("{")]
    assert f"topic {parked} takes records of up to 1,048,588 bytes, not 8,388,608" in line
    assert "1 take larger records" in command(environment(kafka), "topics").stdout
    verify(Cluster(kafka), TOPICS, PARTITIONS)
