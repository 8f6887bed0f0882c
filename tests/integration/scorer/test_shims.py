"""Each hole of Faust, shown from outside: PLAIN_FAUST=1 runs the same tests without the shims.

With it every test here fails, and each failure is a lost order, a wrong score or a silent stall.
"""

import random
import time
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

from common.clock import Anchor
from common.cluster import Cluster
from common.partition import partition_of
from common.topics import LIVE, SCORES, changelog_of, dead_letters_of
from scorer.rows import Row
from tests.integration.scorer.lanes import Lanes, create_topics, order, wait_for, wire
from tests.integration.scorer.workers import Worker, running
from tests.servers import PARTITIONS

NOW = datetime.now(UTC)
SETTLE_LIMIT_S = 25.0
QUIET_S = 4.0


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def merged_versions(lanes: Lanes) -> dict[int, int]:
    return {client: score.version for client, score in lanes.scores().items()}


def test_aborted_records_are_not_read(lanes: Lanes, tmp_path):
    """What a transactional writer took back was never said: no aborted order is scored."""
    lanes.policy()
    lanes.transaction([order(c, 1, 1_000 + c, ago(3)) for c in range(1, 51)], commit=False)
    lanes.transaction([order(c, 1, c, ago(2)) for c in range(51, 101)], commit=True)
    with running(Worker(lanes.servers, tmp_path, generation=2)):
        wait_for("the committed orders", lambda: set(range(51, 101)) <= set(lanes.scores()))
        assert set(lanes.scores()) == set(range(51, 101))


@pytest.mark.timeout(240)
def test_recovery_drops_nothing(lanes: Lanes, tmp_path):
    """After kill -9 in mid-load and a restart every event is merged and committed, none skipped.

    Each recovery lasts a moment longer than need be, so that what it might forget is there to be
    fetched in any run, not only in a lucky one.
    """
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    rng = random.Random(seed)
    lanes.policy()
    events = [(client, number) for client in range(1, 101) for number in range(1, 61)]
    rng.shuffle(events)
    for version, (client, number) in enumerate(events, start=1):
        lanes.order(order(client, number, version, ago(number)))
    lanes.flush()
    worker = Worker(lanes.servers, tmp_path, generation=3, HANDLER_MS="2", FAULT="seek")
    with running(worker):
        for _ in range(2):
            wait_for("some commits", lambda: sum(lanes.committed(worker.group).values()) > 200)
            worker.kill()
            worker.start()
        wait_for("all to have been read", lambda: _quiet(lanes), SETTLE_LIMIT_S * 3)
        counted = {client: score.features.n for client, score in lanes.scores().items()}
        missing = {client: 60 - n for client, n in counted.items() if n != 60}
        done, ends = lanes.committed(worker.group), lanes.ends(LIVE.name)
        assert (missing, done) == ({}, ends), f"{sum(missing.values())} orders were dropped"


def test_an_unexpected_error_acknowledges_nothing(lanes: Lanes, tmp_path):
    """A row that cannot be read ends the process uncommitted; once mended, the event is scored."""
    worker = Worker(lanes.servers, tmp_path, generation=4)
    create_topics(Cluster(lanes.servers), [changelog_of(4)], PARTITIONS, 1)
    lanes.policy()
    partition = partition_of(7, PARTITIONS)
    lanes.writer.produce(worker.changelog, key=b"7", value=b"\xc1", partition=partition)
    lanes.order(order(7, 1, 1, ago(3)))
    lanes.flush()
    with running():
        try:
            worker.start(ready=False)
            wait_for(
                "the end of the process, or a commit",
                lambda: worker.over() or lanes.committed(worker.group).get(partition),
            )
            assert lanes.committed(worker.group).get(partition, 0) == 0, "the event is lost"
            assert worker.ended(30) != 0
            mended = msgspec.msgpack.encode(Row())
            lanes.writer.produce(worker.changelog, key=b"7", value=mended, partition=partition)
            lanes.flush()
            worker.start()
            wait_for("the score", lambda: merged_versions(lanes).get(7) == 1)
        finally:
            worker.kill()


def test_a_wrong_partition_is_not_written(lanes: Lanes, tmp_path):
    """An event in a partition that is not its client's gives no row and no score: it is parked."""
    lanes.policy()
    wrong = (partition_of(7, PARTITIONS) + 1) % PARTITIONS
    stray, at_home = (
        order(7, 1, 1, ago(3)),
        next(order(c, 1, 2, ago(3)) for c in range(8, 99) if partition_of(c, PARTITIONS) == wrong),
    )
    lanes.write(LIVE, wrong, wire(stray), b"7/order/7001")
    lanes.order(at_home)
    lanes.flush()
    worker = Worker(lanes.servers, tmp_path, generation=5)
    with running(worker):
        wait_for("the one after it", lambda: at_home.client_id in lanes.scores())
        assert 7 not in lanes.scores()
        rows = [p for p in lanes.read(worker.changelog) if p.key == b"7"]
        assert rows == []
        assert len(lanes.read(dead_letters_of(LIVE).name, 1)) == 1


@pytest.mark.parametrize("isolation", ["read_committed"])
def test_gaps_do_not_stop_the_commits(lanes: Lanes, tmp_path, isolation):
    """Behind offset 0 lies a gap of aborted records: commits go on to the end all the same."""
    lanes.policy()
    lanes.transaction([order(7, 1, 1, ago(3))], commit=True)
    lanes.transaction([order(7, n, n, ago(3)) for n in range(2, 12)], commit=False)
    lanes.transaction([order(7, n, n, ago(3)) for n in range(20, 30)], commit=True)
    worker = Worker(lanes.servers, tmp_path, generation=6, ISOLATION=isolation)
    with running(worker):
        wait_for("the score", lambda: merged_versions(lanes).get(7) == 29)
        wait_for("the commit", lambda: lanes.caught_up(worker.group), 15)


def test_commits_that_stand_still_end_the_process(lanes: Lanes, tmp_path):
    """Events flow and nothing is committed: the watchdog ends the process, which says why."""
    lanes.policy()
    for number in range(1, 21):
        lanes.order(order(7, number, number, ago(number)))
    lanes.flush()
    worker = Worker(lanes.servers, tmp_path, generation=7, FAULT="commit")
    with running(worker):
        assert worker.ended(30) == 1
        assert "the commit has stood at" in worker.log.read_text()


def test_a_failed_changelog_send_ends_the_process(lanes: Lanes, tmp_path):
    """A row that the changelog refuses is not committed over: the process ends."""
    worker = Worker(lanes.servers, tmp_path, generation=8)
    lanes.policy()
    with running():
        try:
            worker.start()
            _alter(lanes, worker.changelog, "max.message.bytes", "100")
            for number in range(1, 21):
                lanes.order(order(7, number, number, ago(number)))
            lanes.flush()
            partition = partition_of(7, PARTITIONS)
            wait_for(
                "the end of the process, or a commit",
                lambda: worker.over() or lanes.committed(worker.group).get(partition),
            )
            assert lanes.committed(worker.group).get(partition, 0) == 0, "the rows are lost"
            assert worker.ended(30) != 0
        finally:
            if worker.process is not None and worker.process.poll() is None:
                worker.kill()


def test_revoked_partitions_are_not_scanned(lanes: Lanes, tmp_path):
    """When a second worker has taken over partitions, the first opens no episode in them."""
    extra = {"STORE": "memory://", "SCAN": "1"}
    one = Worker(lanes.servers, tmp_path, generation=9, name="one", **extra)
    two = Worker(lanes.servers, tmp_path, generation=9, name="two", **extra)
    start = Anchor(datetime.now(UTC), NOW, 1.0)
    one.set_clock(start)
    two.set_clock(start)
    lanes.policy()
    clients = range(1, 41)
    for client in clients:
        lanes.order(order(client, 1, client * 10, ago(30)))
        lanes.order(order(client, 2, client * 10 + 1, ago(10)))
    lanes.flush()
    with running(one):
        wait_for("all scores", lambda: len(lanes.scores()) == len(clients))
        wait_for("all commits", lambda: lanes.caught_up(one.group))
        with running(two):
            one.set_clock(Anchor(datetime.now(UTC), NOW + timedelta(days=60), 1.0))
            wait_for("all episodes", lambda: len(_opened(lanes)) >= len(clients))
            size = len(lanes.read(SCORES.name))
            lanes.order(order(99, 1, 9_999, NOW))
            lanes.flush()
            wait_for("a later score", lambda: len(lanes.read(SCORES.name)) > size)
            assert sorted(_opened(lanes)) == list(clients)


def test_a_zombie_writes_nothing(lanes: Lanes, tmp_path):
    """A worker asleep in mid-settle loses its partitions; when it wakes, it can only end."""
    sleep = tmp_path / "sleep"
    extra = {"SESSION_TIMEOUT_S": "3"}
    one = Worker(
        lanes.servers,
        tmp_path,
        generation=10,
        name="one",
        FAULT="sleep",
        SLEEP=str(sleep),
        **extra,
    )
    two = Worker(lanes.servers, tmp_path, generation=10, name="two", **extra)
    lanes.policy()
    with running(one):
        _tell(lanes, 1)
        wait_for("the first score", lambda: merged_versions(lanes).get(7) == 1)
        sleep.touch()
        _tell(lanes, 2)
        wait_for("the sleep", one.sleeps)
        with running(two):
            wait_for("the other's score", lambda: merged_versions(lanes).get(7) == 2)
            _tell(lanes, 3)
            wait_for("the next one", lambda: merged_versions(lanes).get(7) == 3)
            wait_for("all commits", lambda: lanes.caught_up(two.group))
            before = _written_of(lanes, two, b"7")
            one.wake()
            wait_for(
                "the end of the process, or a late write",
                lambda: one.over() or _written_of(lanes, two, b"7") != before,
            )
            assert _written_of(lanes, two, b"7") == before, "the zombie wrote"
            assert one.ended(30) == 1
            assert "fenced" in one.log.read_text()
            assert two.stop() == 0


def test_of_two_workers_under_one_name_the_first_ends(lanes: Lanes, tmp_path):
    """Whoever starts last under an instance id works on; the other says why it ends, and ends."""
    one = Worker(lanes.servers, tmp_path, generation=11, name="one")
    two = Worker(lanes.servers, tmp_path, generation=11, name="two", SCORER_INSTANCE_ID="test-one")
    lanes.policy()
    with running(one):
        _tell(lanes, 1)
        wait_for("the first score", lambda: merged_versions(lanes).get(7) == 1)
        with running(two):
            assert one.ended(30) == 1
            assert "joined the group as test-one" in one.log.read_text()
            _tell(lanes, 2)
            wait_for("the other's score", lambda: merged_versions(lanes).get(7) == 2)
            wait_for("the commit", lambda: lanes.caught_up(two.group))
            assert two.stop() == 0


def _tell(lanes: Lanes, number: int) -> None:
    lanes.order(order(7, number, number, ago(10 - number)))
    lanes.flush()


def _written_of(lanes: Lanes, worker: Worker, key: bytes) -> list[tuple[str, int]]:
    """Return where the rows and scores of a client lie."""
    return [
        (topic, place.offset)
        for topic in (worker.changelog, SCORES.name)
        for place in lanes.read(topic)
        if place.key == key
    ]


def _quiet(lanes: Lanes) -> bool:
    """Whether nothing new has been told for a while: longer than any commit interval."""
    before = lanes.ends(SCORES.name)
    end = time.monotonic() + QUIET_S
    while time.monotonic() < end:
        if lanes.ends(SCORES.name) != before:
            return False
        time.sleep(0.2)
    return True


def _opened(lanes: Lanes) -> list[int]:
    """Return the clients of all openings, also of those that lie in a foreign partition."""
    return [e.client_id for e in lanes.opened()]


def _alter(lanes: Lanes, topic: str, name: str, value: str) -> None:
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource("topic", topic, incremental_configs=[entry])
    for future in lanes.admin.incremental_alter_configs([resource]).values():
        future.result(15)
