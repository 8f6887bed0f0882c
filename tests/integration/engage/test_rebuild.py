"""A new generation of real scorers reads everything in silence, takes over, and agrees."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition

from common.clock import Anchor, write_anchor
from common.cluster import Cluster
from common.errors import Transient
from common.events import ClientScored
from common.kafka import create_topics
from common.partition import partition_of
from common.topics import CONTROL, LIVE, SCORES, changelog_of
from engage.broker import Broker
from engage.rebuild import plan
from engage.rebuild_generation import announce, current
from engage.rebuild_goals import SOURCES, goals
from engage.rebuild_scores import Scores, hash_of
from tests.groups import LOADING
from tests.integration.scorer.lanes import Lanes, order, wait_for, wire
from tests.integration.scorer.workers import Worker, running
from tests.servers import PARTITIONS

NOW = datetime.now(UTC)
CLIENTS = range(1, 41)
LIMIT_S = 150
CHANGELOG = changelog_of(2)


def fill(lanes: Lanes) -> None:
    """Give every client some orders, in transactions as the relay writes them."""
    rng = random.Random(7)
    lanes.policy()
    version = 0
    for _ in range(3):
        orders = []
        for client in CLIENTS:
            version += 1
            when = NOW - timedelta(days=rng.randrange(1, 170))
            orders.append(order(client, version, version, when))
        lanes.transaction(orders, commit=True)


def environment(lanes: Lanes, folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "KAFKA_BOOTSTRAP_SERVERS": lanes.servers,
        "TOPIC_PARTITIONS": str(PARTITIONS),
        "CLOCK_FILE": str(folder / "clock.json"),
        "TICK_PERIOD_S": "0.2",
    }


def engage(lanes: Lanes, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run ``engage rebuild`` as an operator does."""
    return subprocess.run(
        [sys.executable, "-m", "engage", "rebuild", *words],
        env=environment(lanes, folder),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


@contextmanager
def rebuilding(
    lanes: Lanes, folder: Path, *words: str
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run ``engage rebuild`` beside the test; give the process and what it says on stdout."""
    out = folder / "rebuild.out"
    with out.open("wb") as said, (folder / "rebuild.log").open("wb") as complained:
        process = subprocess.Popen(
            [sys.executable, "-m", "engage", "rebuild", *words],
            env=environment(lanes, folder),
            cwd=folder,
            stdout=said,
            stderr=complained,
        )
    try:
        yield process, out
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


def scores(lanes: Lanes) -> Scores:
    found = Scores(Broker(Cluster(lanes.servers)))
    found.follow()
    return found


@pytest.fixture
def lanes(kafka: str) -> Lanes:
    """Fresh topics on the module's broker, once each partition has its leader."""
    made = Lanes(kafka)
    wait_for("the leaders", lambda: _led(kafka))
    return made


def _led(servers: str) -> bool:
    broker = Broker(Cluster(servers))
    try:
        broker.ends(broker.topics)
    except Transient:
        return False
    return True


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    file = tmp_path / "clock.json"
    write_anchor(file, Anchor(NOW, NOW, 1.0))
    return file


@pytest.mark.timeout(300)
def test_a_new_generation_takes_over_with_the_same_table(lanes: Lanes, tmp_path: Path, clock):
    """Same scores, same hash, the same episodes by id; the old generation says it is superseded.

    The new worker goes on until the command is told to end, and ends with it.
    """
    fill(lanes)
    old = Worker(lanes.servers, tmp_path, name="old", CLOCK_FILE=str(clock))
    with running(old):
        wait_for("all scores", lambda: len(lanes.scores()) == len(CLIENTS))
        expected = {client for client, told in lanes.scores().items() if told.state == "at_risk"}
        assert expected
        wait_for("the episodes", lambda: {e.client_id for e in lanes.opened()} >= expected)
        opened = {e.episode_id for e in lanes.opened()}
        today = (NOW.date() - datetime(1970, 1, 1, tzinfo=UTC).date()).days
        before = hash_of(Cluster(lanes.servers), PARTITIONS, today)
        with rebuilding(lanes, tmp_path, "--yes", "--json", "--timeout", "120") as (process, out):
            wait_for(
                "the outcome",
                lambda: process.poll() is not None or out.read_text().endswith("\n"),
                LIMIT_S,
            )
            assert process.poll() is None, _logs(tmp_path)
            told = json.loads(out.read_text())
            workers = psutil.Process(process.pid).children()
            assert [one.is_running() for one in workers] == [True]
            process.terminate()
            assert process.wait(60) == 0
            assert not any(one.is_running() for one in workers)
        assert (told["generation"], told["clients"], told["differing"]) == (2, len(CLIENTS), 0)
        after = scores(lanes)
        assert {one.generation for one in after.of.values()} == {2}
        assert hash_of(Cluster(lanes.servers), PARTITIONS, today) == before
        assert {e.episode_id for e in lanes.opened()} == opened
        assert current(Broker(Cluster(lanes.servers))) == 2
        wait_for(
            "the old worker to step back", lambda: old.over() or old.health("/readyz")[0] != 200
        )
        again = plan(Cluster(lanes.servers), PARTITIONS)
        assert (again.present, again.next, again.passed) == (2, 3, 0)


def test_a_dry_run_changes_nothing(lanes: Lanes, tmp_path: Path, clock):
    """It tells what would be read, and starts and writes nothing."""
    fill(lanes)
    broker = Broker(Cluster(lanes.servers))
    before = broker.ends(broker.topics), broker.groups()
    done = engage(lanes, tmp_path, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["present"], told["next"], told["group"]) == (1, 2, "scorer-v2")
    assert told["offsets"] > 3 * len(CLIENTS)
    assert (Broker(Cluster(lanes.servers)).ends(broker.topics), broker.groups()) == before
    assert set(Broker(Cluster(lanes.servers)).topics) - {"__consumer_offsets"} == set(
        broker.topics
    ) - {"__consumer_offsets"}


def test_nobody_is_announced_who_has_not_read_everything(lanes: Lanes, tmp_path: Path, clock):
    """Without workers the limit passes, exit 1 says how far it is, and generation 1 speaks on."""
    fill(lanes)
    done = engage(lanes, tmp_path, "--yes", "--no-workers", "--timeout", "1")
    assert done.returncode == 1
    assert "offsets to go in" in done.stderr.splitlines()[-1]
    assert current(Broker(Cluster(lanes.servers))) == 1


def test_a_table_that_lacks_clients_is_not_announced(lanes: Lanes, tmp_path: Path, clock):
    """The next generation has committed everything and has no row of some: exit 1, and it says so.

    As when its workers parked what they should have merged.
    """
    fill(lanes)
    create_topics(Cluster(lanes.servers), [CHANGELOG], PARTITIONS, 1)
    for client in CLIENTS:
        lanes.write(SCORES, partition_of(client, PARTITIONS), _score(client), b"%d" % client)
        if client % 10:
            lanes.write(CHANGELOG, partition_of(client, PARTITIONS), b"a row", b"%d" % client)
    lanes.flush()
    _commit(lanes, "scorer-v2")
    done = engage(lanes, tmp_path, "--yes", "--no-workers", "--timeout", "30")
    assert done.returncode == 1, done.stderr
    assert "no row of 4 clients with a score, such as 10" in done.stderr
    assert current(Broker(Cluster(lanes.servers))) == 1


def test_a_worker_that_ends_is_told_and_nothing_announced(lanes: Lanes, tmp_path: Path, clock):
    """A worker that cannot start ends the rebuild at once, with its last words."""
    fill(lanes)
    (tmp_path / "clock.json").write_text("no anchor")
    done = engage(lanes, tmp_path, "--yes", "--timeout", "60")
    assert done.returncode == 1
    assert "a worker ended with 2" in done.stderr
    assert "clock file holds no anchor" in done.stderr
    assert current(Broker(Cluster(lanes.servers))) == 1


def test_without_a_policy_there_is_nothing_to_rebuild(lanes: Lanes, tmp_path: Path, clock):
    """A system without a policy has no scores: exit 2."""
    done = engage(lanes, tmp_path, "--yes")
    assert done.returncode == 2
    assert "no policy is in force" in done.stderr


def test_an_announcement_stands_in_every_partition_once_more_or_not(lanes: Lanes):
    """All partitions get it in one transaction; telling it again leaves the highest in force."""
    lanes.policy()
    broker = Broker(Cluster(lanes.servers))
    assert current(broker) == 1
    for generation in (2, 3, 2):
        announce(broker, generation)
    told = [place.partition for place in lanes.read(CONTROL.name) if place.key == b"generation"]
    assert sorted(told) == sorted([*range(PARTITIONS)] * 3)
    assert current(broker) == 3


def test_goals_are_what_a_group_can_reach(lanes: Lanes):
    """The marker at the end of a transaction and aborted records behind it are not waited for."""
    lanes.transaction([order(7, 1, 1, NOW)], commit=True)
    lanes.transaction([order(7, n, n, NOW) for n in range(2, 300)], commit=False)
    last = {p.partition: p.offset + 1 for p in lanes.read(LIVE.name)}
    found = goals(Broker(Cluster(lanes.servers)))
    assert {place: end for place, end in found.items() if place[0] == LIVE.name} == {
        (LIVE.name, partition): end for partition, end in last.items()
    }


def _score(client: int) -> bytes:
    """Return a score as generation 1 tells it."""
    return wire(
        ClientScored(
            client_id=client,
            generation=1,
            version=client,
            merged=[],
            policy_version=1,
            as_of=NOW,
            day=0,
            score=None,
            state="no_orders",
            features=None,
            parts=None,
            entry=None,
            exit=None,
            crossing_day=None,
            lapse_day=None,
            episode_id=None,
        )
    )


def _commit(lanes: Lanes, group: str) -> None:
    """Commit the ends of all sources, as a group that has read everything."""
    broker = Broker(Cluster(lanes.servers))
    ends = broker.ends(SOURCES)
    places = [TopicPartition(*place, offset) for place, offset in ends.items()]
    wanted = ConsumerGroupTopicPartitions(group, places)

    def done() -> bool:
        try:
            lanes.admin.alter_consumer_group_offsets([wanted])[group].result(15)
        except KafkaException as error:
            if error.args[0].code() not in LOADING:
                raise
            return False
        # The answer may hold errors of single partitions; what counts is what a reader finds.
        return broker.committed(group) == ends

    wait_for("the commit", done)


def _logs(folder: Path) -> str:
    return "\n".join(log.read_text()[-3000:] for log in folder.rglob("*.log"))
