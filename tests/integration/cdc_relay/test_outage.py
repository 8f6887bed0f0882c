"""When the broker goes away, or the loop hangs."""

import subprocess
import sys

import pytest

from common.cluster import Cluster
from common.kafka import create_topics
from common.topics import TOPICS
from stack.kafka import Kafka
from tests.integration.cdc_relay.running import LIVE, order, reading, relay, wait_for, write
from tests.servers import PARTITIONS


@pytest.mark.timeout(400)
def test_a_broker_that_goes_away_and_comes_back_is_found_again(tmp_path):
    """The relay turns unready, stays alive, and goes on by itself when the broker is back."""
    with Kafka.start(tmp_path / "kafka") as broker:
        servers = broker.bootstrap_servers
        create_topics(Cluster(servers), TOPICS, PARTITIONS, 1)
        with relay(servers, tmp_path) as running:
            running.ready()
            with reading(servers, LIVE) as lane:
                write(servers, order("c", 1, 42, 1))
                lane.count(1)
            broker.stop()
            wait_for("the relay is unready", lambda: running.health("/readyz") == 503)
            assert running.health("/livez") == 200
            with Kafka.start(tmp_path / "kafka", port=int(servers.rsplit(":", 1)[1])):
                write(servers, order("c", 2, 42, 2))
                with reading(servers, LIVE, from_start=True) as lane:
                    lane.until(lambda records: len(records) >= 2, limit_s=120)
                    assert [r.data["order_id"] for r in lane.to_the_end()] == [1, 2]
                wait_for("the relay is ready again", lambda: running.health("/readyz") == 200)
                assert running.stop() == 0


def test_a_loop_that_hangs_ends_the_process():
    """Some calls of the client never return: the process ends, and a new one takes over."""
    hangs = (
        "import threading, cdc_relay.__main__ as m\n"
        "log = m.logs.configure('cdc-relay', 'INFO')\n"
        "m._watch(m.health.Heartbeat(0.1), threading.Event(), log)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", hangs], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "the loop hangs" in done.stderr
