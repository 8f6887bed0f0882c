"""Scorers as processes: ours, ours with a fault, or plain Faust doing the same work.

With PLAIN_FAUST=1 in the environment the tests of the shims run against plain Faust, without any
shim: then they are expected to fail, and show what each shim is for.
"""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common.clock import Anchor, write_anchor
from common.cluster import Cluster
from common.events import GenerationAnnounced
from common.kafka import producer
from common.topics import CONTROL
from tests.integration.scorer.lanes import wait_for, wire
from tests.servers import PARTITIONS

PLAIN = os.environ.get("PLAIN_FAUST") == "1"
ROOT = Path(__file__).parents[3]
STOP_LIMIT_S = 30.0


class Worker:
    """One scorer process, which may be stopped, killed and started again on its own data."""

    def __init__(
        self,
        servers: str,
        folder: Path,
        *,
        generation: int = 1,
        name: str = "one",
        silent: bool = False,
        **extra: str,
    ) -> None:
        """Describe a worker; ``start`` runs it. ``extra`` goes into its environment.

        Unless it is to be ``silent``, its generation is announced as the one that speaks.
        """
        self.group = "scorer" if generation == 1 else f"scorer-v{generation}"
        self.changelog = f"{self.group}-ledgers-changelog"
        self.folder = folder
        self.name = name
        self.log = folder / f"{name}.log"
        self.clock = folder / "clock.json"
        self.plain = extra.pop("plain", "1" if PLAIN else "0") == "1"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "KAFKA_BOOTSTRAP_SERVERS": servers,
            "TOPIC_PARTITIONS": str(PARTITIONS),
            "SCORER_DATA_DIR": str(folder / f"data-{name}"),
            "SCORER_INSTANCE_ID": f"test-{name}",
            "GENERATION": str(generation),
            "TICK_PERIOD_S": "0.2",
            "LOG_LEVEL": "INFO",
            **extra,
        }
        self.process: subprocess.Popen[bytes] | None = None
        if not silent:
            announce(servers, generation)

    def set_clock(self, anchor: Anchor) -> None:
        """Give this worker's folder a business clock."""
        write_anchor(self.clock, anchor)
        self.environment["CLOCK_FILE"] = str(self.clock)

    def start(self, *, ready: bool = True) -> "Worker":
        """Start the process, and wait until it works on its partitions."""
        module = "tests.integration.scorer.plain" if self.plain else "scorer"
        if not self.plain and "FAULT" in self.environment:
            module = "tests.integration.scorer.faulty"
        begin = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module],
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if ready:
            wait_for(
                f"the worker {self.name} to be ready", lambda: b"Worker ready" in self._said(begin)
            )
        return self

    def _said(self, begin: int) -> bytes:
        assert self.process is not None
        said = self.log.read_bytes()[begin:]
        assert self.process.poll() is None, f"the worker ended:\n{said[-3000:].decode()}"
        return said

    def kill(self) -> None:
        """Kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(STOP_LIMIT_S)

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_LIMIT_S)

    def sleeps(self) -> bool:
        """Whether the process has been stopped, and not continued."""
        assert self.process is not None
        state = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "T"

    def wake(self) -> None:
        """Let a stopped process go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def over(self) -> bool:
        """Whether the process has ended."""
        return self.process is not None and self.process.poll() is not None

    def ended(self, limit_s: float) -> int:
        """Wait until the process ends by itself, and return its exit code."""
        process = self.process
        assert process is not None
        wait_for(f"the worker {self.name} to end", lambda: process.poll() is not None, limit_s)
        return process.returncode

    def health(self, path: str) -> tuple[int, dict[str, Any]]:
        """Ask the worker's health."""
        port = next(
            json.loads(line)["health_port"]
            for line in reversed(self.log.read_text().splitlines())
            if '"health_port"' in line
        )
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)


def announce(servers: str, generation: int) -> None:
    """Announce in every partition which generation speaks, as ``engage rebuild`` does."""
    writer = producer(Cluster(servers), {"linger.ms": 0})
    for partition in range(PARTITIONS):
        value = wire(GenerationAnnounced(generation=generation))
        writer.produce(CONTROL.name, value, b"generation", partition)
    assert writer.flush(30) == 0


@contextmanager
def running(*workers: Worker) -> Iterator[None]:
    """Start workers; leave no process behind."""
    try:
        for worker in workers:
            worker.start()
        yield
    finally:
        for worker in workers:
            if worker.process is not None and worker.process.poll() is None:
                worker.kill()
