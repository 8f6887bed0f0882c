"""Kafka by certificates: a broker that asks everybody for one, and what our clients make of it."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.cluster import Certificates, Cluster
from common.errors import Misconfigured
from common.kafka import consumer, high_watermarks, producer, topics_of, verify
from common.topics import CONTROL, LIVE, TOPICS
from engage.broker import Broker
from tests.certificates import Authority
from tests.guarded_kafka import Guarded, guarded_kafka
from tests.integration.scorer.lanes import wait_for
from tests.integration.scorer.workers import Worker, running
from tests.servers import PARTITIONS

LIMIT_S = 30.0
COMMAND_LIMIT_S = 120.0


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """The broker, with all our topics, made over TLS by the command that makes them."""
    folder = tmp_path_factory.mktemp("tls")
    with guarded_kafka(folder) as there:
        done = run(there.shown("topics"), folder, "cdc_relay", "topics")
        assert done.returncode == 0, done.stderr
        yield there


def run(cluster: Cluster, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a service, or a command of it, to its end."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        env={
            **cluster.environment,
            "TOPIC_PARTITIONS": str(PARTITIONS),
            "SCORER_DATA_DIR": str(folder / "data"),
            "SCORER_INSTANCE_ID": "refused",
        },
        capture_output=True,
        text=True,
        timeout=COMMAND_LIMIT_S,
        check=False,
    )


def test_clients_of_every_kind_speak_by_certificate(guarded):
    """A transaction is written and read, and the administrator's questions are answered."""
    cluster = guarded.shown("relay")
    verify(cluster, TOPICS, PARTITIONS)
    writer = producer(cluster, {"transactional.id": "relay-by-certificate"})
    writer.init_transactions(LIMIT_S)
    writer.begin_transaction()
    writer.produce(LIVE.name, b"value", b"key", 0)
    writer.commit_transaction(LIMIT_S)
    reader = consumer(cluster, "reader-by-certificate")
    with contextlib.closing(reader):
        reader.subscribe([LIVE.name])
        read = wait_for("the record", lambda: reader.poll(0.2))
        assert (read.key(), read.value()) == (b"key", b"value")
        reader.commit(read, asynchronous=False)
    assert high_watermarks(cluster, [LIVE.name])[LIVE.name, 0] == 2
    broker = Broker(cluster)
    assert broker.committed("reader-by-certificate") == {(LIVE.name, 0): 1}
    assert [one.value() for one in broker.read({(LIVE.name, 0): 0}, {(LIVE.name, 0): 1})] == [
        b"value"
    ]


def test_a_scorer_becomes_ready_by_certificate(guarded, tmp_path):
    """Faust's consumer, the changelog's creation and reading, and each partition's writer."""
    shown = guarded.shown("scorer").environment
    worker = Worker(guarded.servers, tmp_path, generation=1, silent=True, **shown)
    with running(worker):
        wait_for("readiness", lambda: worker.health("/readyz")[0] == 200)
        # Ticks are written and read again: this worker has all partitions, and works on them.
        wait_for("ticks", lambda: _ticks(guarded.shown("looker")) == set(range(PARTITIONS)))


def _ticks(cluster: Cluster) -> set[int]:
    broker = Broker(cluster)
    found = broker.read(broker.begins([CONTROL.name]), broker.ends([CONTROL.name]))
    return {one.partition() or 0 for one in found if one.key() == b"tick"}


@pytest.mark.parametrize("service", ["cdc_relay", "scorer"])
def test_a_certificate_that_the_broker_does_not_trust_is_one_clear_line(guarded, tmp_path, service):
    """The service ends with code 2 and says that it is the certificate."""
    stranger = Authority(tmp_path, "stranger").sign("service")
    known = guarded.shown("known").certificates
    wrong = Certificates(known.authority, stranger.certificate, stranger.key)
    done = run(Cluster(guarded.servers, wrong), tmp_path, service)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f"no Kafka broker answers at {guarded.servers}: " in line
    assert "bad certificate" in line


def test_a_broker_that_we_do_not_trust_is_one_clear_line(guarded, tmp_path):
    """Nothing is said to a broker whose certificate another authority has signed."""
    other = Authority(tmp_path, "other")
    known = guarded.shown("known").certificates
    wrong = Certificates(other.file, known.certificate, known.key)
    with pytest.raises(Misconfigured, match="certificate verify failed") as refused:
        topics_of(Cluster(guarded.servers, wrong), 3.0)
    assert "\n" not in str(refused.value)


def test_without_a_certificate_nobody_gets_in(guarded):
    """The broker asks for TLS: who speaks in the clear is told that nobody answers."""
    with pytest.raises(Misconfigured, match="no Kafka broker answers"):
        topics_of(Cluster(guarded.servers), 3.0)
