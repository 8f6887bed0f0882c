"""The scorer as a process on a real broker: events in, scores out, ticks open episodes."""

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import TopicPartition

from common.clock import Anchor
from common.cluster import Cluster
from common.events import ClientErased, SnapshotState, Tick
from common.kafka import producer
from common.partition import partition_of
from common.topics import BACKFILL, CONTROL, LIVE, SCORES
from tests.integration.scorer.lanes import Lanes, order, wait_for, wire
from tests.integration.scorer.workers import ROOT, Worker, running
from tests.servers import PARTITIONS

NOW = datetime.now(UTC)
QUIET_LATENCY_S = 0.25


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def test_from_event_to_score_to_episode_to_its_end(lanes: Lanes, tmp_path):
    """An order is scored; the clock passes the crossing, one episode opens; an order closes it."""
    worker = Worker(lanes.servers, tmp_path, generation=2)
    worker.set_clock(Anchor(NOW, NOW, 1.0))
    lanes.policy()
    with running(worker):
        for number, days in enumerate((30, 10), start=1):
            lanes.order(order(7, number, number, ago(days)))
        lanes.flush()
        score = wait_for("the score", lambda: _with_version(lanes, 7, 2))
        assert (score.state, score.generation, score.merged[-1]) == ("active", 2, ("order/7002", 2))
        later = Anchor(datetime.now(UTC), NOW + timedelta(days=60), 1.0)
        worker.set_clock(later)
        (opened,) = wait_for("the episode", lanes.opened)
        assert opened.episode_id == f"7-{score.features.last_day}"
        assert opened.crossing_day == score.crossing_day
        assert opened.evidence[-1].orders == [(7002, 2)]
        at_risk = wait_for("its score", lambda: _in_state(lanes, 7, "at_risk"))
        assert at_risk.episode_id == opened.episode_id
        lanes.order(order(7, 3, 3, NOW + timedelta(days=60)))
        lanes.flush()
        # A generation that begins to speak also ends what may have ended in its silence.
        wait_for("its end", lambda: (opened.episode_id, "order") in _ends(lanes))
        assert wait_for("the new score", lambda: _with_version(lanes, 7, 3)).state == "active"
        assert len(lanes.opened()) == 1
        assert worker.stop() == 0


def test_poison_is_parked_while_its_neighbours_flow(lanes: Lanes, tmp_path):
    """Not JSON, an unknown version and a wrong partition lie in the dead letters with reasons."""
    lanes.policy()
    partition = partition_of(7, PARTITIONS)
    lanes.write(LIVE, partition, b"not json")
    lanes.write(LIVE, partition, b'{"type":"order.changed.v9"}')
    lanes.write(LIVE, (partition + 1) % PARTITIONS, wire(order(7, 1, 1, ago(3))))
    lanes.write(BACKFILL, partition, b"[]")
    lanes.order(order(7, 2, 2, ago(1)))
    lanes.flush()
    with running(Worker(lanes.servers, tmp_path, generation=3)):
        wait_for("the neighbour's score", lambda: _with_version(lanes, 7, 2))
        live = wait_for(
            "three dead letters", lambda: len(lanes.dead(LIVE)) == 3 and lanes.dead(LIVE)
        )
        assert {letter.headers["reason"] for letter in live} == {
            b"not_an_event",
            b"unknown_type",
            b"wrong_partition",
        }
        (backfill,) = wait_for("one more", lambda: lanes.dead(BACKFILL))
        assert backfill.value == b"[]"


def test_an_erased_client_leaves_a_tombstone(lanes: Lanes, tmp_path):
    """After client.erased the newest record of the client's score is a null."""
    lanes.policy()
    lanes.order(order(7, 1, 1, ago(3)))
    lanes.flush()
    with running(Worker(lanes.servers, tmp_path, generation=4)):
        wait_for("the score", lambda: _with_version(lanes, 7, 1))
        erased = wire(ClientErased(client_id=7, version=9))
        lanes.write(LIVE, partition_of(7, PARTITIONS), erased, b"7/erased")
        lanes.flush()
        wait_for(
            "the tombstone",
            lambda: [p.value for p in lanes.read(SCORES.name) if p.key == b"7"][-1] is None,
        )


def test_no_score_without_a_policy(lanes: Lanes, tmp_path):
    """Events wait in their ledgers until the policy comes; then all of them are scored."""
    for client in range(1, 20):
        lanes.order(order(client, 1, client, ago(3)))
    lanes.flush()
    worker = Worker(lanes.servers, tmp_path, generation=5)
    with running(worker):
        wait_for("all to be merged", lambda: lanes.caught_up(worker.group))
        assert lanes.scores() == {}
        lanes.policy(version=4)
        wait_for("all scores", lambda: set(lanes.scores()) == set(range(1, 20)))
        assert {s.policy_version for s in lanes.scores().values()} == {4}


def test_while_a_snapshot_runs_nothing_opens(lanes: Lanes, tmp_path):
    """Old crossings of a half-read snapshot open only after it is over, restart or not."""
    lanes.policy()
    lanes.control(b"snapshot", SnapshotState(active=True))
    for number, days in enumerate((100, 80), start=1):
        lanes.order(order(7, number, number, ago(days)), BACKFILL)
    lanes.flush()
    worker = Worker(lanes.servers, tmp_path, generation=6)
    with running(worker):
        wait_for("the score", lambda: _in_state(lanes, 7, "at_risk"))
        worker.kill()
        worker.start()
        ticks = len(lanes.read("scorer.control"))
        wait_for("many ticks", lambda: len(lanes.read("scorer.control")) > ticks + 10 * PARTITIONS)
        assert lanes.opened() == []
        lanes.control(b"snapshot", SnapshotState(active=False))
        lanes.flush()
        (opened,) = wait_for("the episode", lanes.opened)
        assert opened.client_id == 7


def test_a_clock_that_jumps_ahead_opens_nothing_and_turns_readiness_red(lanes: Lanes, tmp_path):
    """Ticks ahead of the broker's time are kept out; when the clock is right again all is well."""
    worker = Worker(lanes.servers, tmp_path, generation=7)
    lanes.policy()
    for number, days in enumerate((30, 10), start=1):
        lanes.order(order(7, number, number, ago(days)))
    lanes.flush()
    with running(worker):
        wait_for("the score", lambda: _with_version(lanes, 7, 2))
        assert worker.health("/readyz")[0] == 200
        _tick_ahead(lanes, timedelta(days=60))
        # The scorer's own ticks come after it and would turn readiness green again at once.
        said = wait_for("the parking", lambda: "tick from the future" in worker.log.read_text())
        assert said
        assert lanes.opened() == []
        wait_for("readiness", lambda: worker.health("/readyz")[0] == 200)


def test_readiness_follows_the_worker(lanes: Lanes, tmp_path):
    """A worker is ready once its tables are recovered; its checks are named."""
    worker = Worker(lanes.servers, tmp_path, generation=8)
    with running(worker):
        status, body = wait_for("health", lambda: _ok(worker, "/readyz"))
        assert (status, body["status"]) == (200, "ok")
        assert {"loop", "partitions", "progress", "ticks", "generation"} == set(body["checks"])
        assert worker.health("/livez")[0] == 200


def test_a_quiet_scorer_answers_at_once(lanes: Lanes, tmp_path):
    """From the event's write to the score's arrival some ten milliseconds, when quiet."""
    worker = Worker(lanes.servers, tmp_path, generation=9)
    lanes.policy()
    with running(worker):
        lanes.order(order(7, 1, 1, ago(3)))
        lanes.flush()
        wait_for("the first score", lambda: _with_version(lanes, 7, 1))
        reader = lanes._reader("latency")
        try:
            waits = sorted(_round_trip(lanes, reader, version) for version in range(2, 22))
        finally:
            reader.close()
        assert waits[len(waits) // 2] < QUIET_LATENCY_S, waits


def test_live_events_do_not_wait_for_a_backfill(lanes: Lanes, tmp_path):
    """With both lanes full a live order is scored among the first, not after the backfill."""
    lanes.policy()
    partition = partition_of(7, PARTITIONS)
    first = next(c for c in range(4_100, 5_000) if partition_of(c, PARTITIONS) == partition)
    worker = Worker(lanes.servers, tmp_path, generation=12)
    with running(worker):
        # It speaks, and live orders have just come, when it finds both lanes full.
        lanes.order(order(first, 1, 1, ago(3)))
        lanes.flush()
        wait_for("the first score", lambda: first in lanes.scores())
        assert worker.process is not None
        worker.process.send_signal(signal.SIGSTOP)
        wait_for("the worker to sleep", worker.sleeps)
        clients = range(100, 4_100)
        for client in clients:
            lanes.order(order(client, 1, client, ago(3)), BACKFILL)
        lanes.order(order(first, 2, 2, ago(2)))
        lanes.order(order(7, 1, 1, ago(3)))
        lanes.flush()
        worker.wake()
        share = sum(partition_of(client, PARTITIONS) == partition for client in clients)
        wait_for("all scores", lambda: len(lanes.scores()) == len(clients) + 2)
        keys = [p.key for p in lanes.read(SCORES.name) if p.partition == partition]
        assert len(keys) >= share
        assert keys.index(b"7") < share / 2


def test_live_events_do_not_wait_for_a_policy_to_be_walked(lanes: Lanes, tmp_path):
    """While all clients are assessed under a new policy, a live order has its turn in between."""
    lanes.policy()
    clients = [c for c in range(100, 20_000) if partition_of(c, PARTITIONS) == 0][:3_000]
    for client in clients:
        lanes.order(order(client, 1, client, ago(3)), BACKFILL)
    lanes.flush()
    with running(Worker(lanes.servers, tmp_path, generation=13)):
        wait_for("all scores", lambda: len(lanes.scores()) == len(clients))
        lanes.policy(version=2)
        lanes.order(order(clients[-1], 2, 99_999, ago(1)))
        lanes.flush()
        wait_for(
            "all to be walked",
            lambda: all(score.policy_version == 2 for score in lanes.scores().values()),
        )
        told = lanes.told(SCORES)
        walked = max(i for i, score in enumerate(told) if score.version != 99_999)
        assert next(i for i, score in enumerate(told) if score.version == 99_999) < walked


def test_a_record_of_megabytes_is_no_trouble(lanes: Lanes, tmp_path):
    """What is larger than Kafka's usual limit is parked like any other, and what follows flows."""
    lanes.policy()
    partition = partition_of(7, PARTITIONS)
    large = producer(Cluster(lanes.servers), {"message.max.bytes": 8_000_000})
    large.produce(LIVE.name, b"x" * 3_000_000, b"k", partition)
    assert large.flush(30) == 0
    lanes.order(order(7, 1, 1, ago(1)))
    lanes.flush()
    with running(Worker(lanes.servers, tmp_path, generation=14)):
        wait_for("the neighbour's score", lambda: _with_version(lanes, 7, 1))
        (letter,) = wait_for("the dead letter", lambda: lanes.dead(LIVE))
        assert len(letter.value) == 3_000_000


def test_two_workers_share_the_partitions(lanes: Lanes, tmp_path):
    """A second worker takes over some partitions with their rows; every episode opens once."""
    one = Worker(lanes.servers, tmp_path, generation=10, name="one")
    two = Worker(lanes.servers, tmp_path, generation=10, name="two")
    clock = Anchor(datetime.now(UTC), NOW, 1.0)
    one.set_clock(clock)
    two.set_clock(clock)
    lanes.policy()
    clients = range(1, 41)
    for client in clients:
        lanes.order(order(client, 1, client * 10, ago(30)))
        lanes.order(order(client, 2, client * 10 + 1, ago(10)))
    lanes.flush()
    with running(one):
        wait_for("all scores", lambda: len(lanes.scores()) == len(clients))
        with running(two):
            wait_for("readiness", lambda: _ok(one, "/readyz"))
            one.set_clock(Anchor(datetime.now(UTC), NOW + timedelta(days=60), 1.0))
            wait_for("all episodes", lambda: len(lanes.opened()) >= len(clients))
            for client in clients:
                lanes.order(order(client, 3, client * 10 + 2, NOW + timedelta(days=60)))
            lanes.flush()
            wait_for("all ends", lambda: len(_ends(lanes)) >= len(clients))
            opened = [e.client_id for e in lanes.opened()]
            assert sorted(opened) == list(clients)
            shares = [w.log.read_text().count('"event": "partition opened"') for w in (one, two)]
            assert min(shares) > 0


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({}, "KAFKA_BOOTSTRAP_SERVERS"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "SCORER_INSTANCE_ID": "x"}, "SCORER_DATA_DIR"),
    ],
)
def test_a_missing_setting_is_one_clear_line(environment, word, tmp_path):
    """Without what it needs the scorer says so in one line and exits with 2."""
    done = _run({**environment, "PYTHONPATH": str(ROOT)}, tmp_path)
    assert done.returncode == 2
    assert word in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_topics_with_another_number_of_partitions_are_refused(lanes: Lanes, tmp_path):
    """A mismatch would write rows where nobody looks for them: one clear line, and no start."""
    worker = Worker(lanes.servers, tmp_path, generation=11, TOPIC_PARTITIONS="12")
    done = _run(worker.environment, tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("cannot start: topic scorer.control has")


def _run(environment, folder) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scorer"],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _ends(lanes: Lanes) -> set[tuple[str, str]]:
    return {(end.episode_id, end.reason) for end in lanes.closed() if end.reason == "order"}


def _with_version(lanes: Lanes, client: int, version: int):
    score = lanes.scores().get(client)
    return score if score is not None and score.version >= version else None


def _in_state(lanes: Lanes, client: int, state: str):
    score = lanes.scores().get(client)
    return score if score is not None and score.state == state else None


def _ok(worker: Worker, path: str):
    answer = worker.health(path)
    return answer if answer[0] == 200 else None


def _tick_ahead(lanes: Lanes, by: timedelta) -> None:
    for partition in range(PARTITIONS):
        ahead = Tick(partition=partition, as_of=NOW + by, live_end=0, backfill_end=0)
        lanes.write(CONTROL, partition, wire(ahead), b"tick")
    lanes.flush()


def _round_trip(lanes: Lanes, reader, version: int) -> float:
    partition = partition_of(7, PARTITIONS)
    end = lanes.ends(SCORES.name)[partition]
    reader.assign([TopicPartition(SCORES.name, partition, end)])
    reader.poll(0.1)
    begin = time.perf_counter()
    lanes.order(order(7, version, version, ago(3)))
    lanes.flush()
    wait_for("the score", lambda: (m := reader.poll(0.005)) is not None and not m.error())
    return time.perf_counter() - begin
