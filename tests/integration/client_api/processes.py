"""client-api's processes as a deployment starts them, and a broker to write to."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from confluent_kafka import Producer

from common import kafka
from common.cluster import Cluster
from common.events import ClientScored
from common.partition import partition_of
from common.topics import AT_RISK, SCORES
from stack.places import free_port
from tests.scored import record
from tests.servers import PARTITIONS
from tests.tokens import issuer

READY_LIMIT_S = 60
STOP_LIMIT_S = 15


@dataclass
class Running:
    """A process that is ready."""

    process: "subprocess.Popen[bytes]"
    url: str
    metrics_url: str
    log: Path

    def logged(self) -> str:
        """Return what the process has logged."""
        return self.log.read_text()

    def stop(self) -> int:
        """Ask the process to end; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_LIMIT_S)


@asynccontextmanager
async def running(
    command: str, folder: Path, environment: dict[str, str]
) -> AsyncIterator[Running]:
    """Start ``serve`` or ``project`` on a free port and wait until it is ready."""
    with starting(command, folder, environment) as found:
        await ready(found)
        yield found


@contextmanager
def starting(command: str, folder: Path, environment: dict[str, str]) -> Iterator[Running]:
    """Start ``serve`` or ``project`` on a free port; ``ready`` waits for it."""
    found = _start(command, folder, environment)
    try:
        yield found
    finally:
        if found.process.poll() is None:
            found.process.kill()
        found.process.wait()


def _start(command: str, folder: Path, environment: dict[str, str]) -> Running:
    port = free_port()
    # Metrics are never where callers are served; the projector has no callers.
    health_port = free_port() if command == "serve" else port
    log = folder / f"{command}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "client_api", command],
            env={
                "PATH": os.environ["PATH"],
                "TOPIC_PARTITIONS": str(PARTITIONS),
                "HTTP_PORT": str(port),
                "HEALTH_PORT": str(health_port),
                **issuer().environment,
                **environment,
            },
            stdout=subprocess.DEVNULL,
            stderr=output,
        )
    urls = (f"http://127.0.0.1:{one}" for one in (port, health_port))
    return Running(process, *urls, log)


async def ready(found: Running) -> None:
    """Wait until a process takes requests."""
    async with asyncio.timeout(READY_LIMIT_S), httpx.AsyncClient() as http:
        while True:
            assert found.process.poll() is None, found.logged()
            try:
                if (await http.get(f"{found.url}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass  # not listening yet
            await asyncio.sleep(0.05)


@contextmanager
def scores_writer(servers: str) -> Iterator["ScoresWriter"]:
    """Write records as the scorer does."""
    producer = kafka.producer(Cluster(servers), {"linger.ms": 0})
    yield ScoresWriter(producer)
    assert producer.flush(30) == 0


class ScoresWriter:
    """Puts records on client.scores and client.at-risk, on the client's partition."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    def scored(self, *scores: ClientScored) -> None:
        """Write scores and wait until the broker has them."""
        for data in scores:
            self.raw(data.client_id, record(data))
        self.flush()

    def raw(
        self,
        client_id: int,
        value: bytes | None,
        *,
        at_risk: bool = False,
        key: bytes | None = None,
    ) -> None:
        """Write any bytes under a client's key."""
        self._producer.produce(
            (AT_RISK if at_risk else SCORES).name,
            key=key or str(client_id).encode(),
            value=value,
            partition=partition_of(client_id, PARTITIONS),
        )

    def flush(self) -> None:
        """Wait until the broker has all of it."""
        assert self._producer.flush(30) == 0
