"""How the scorer grows: time and memory for ten times the clients, and recovery.

A size is timed from the first score that can be read to the last event settled, so the start of
the process does not count. Then it is stopped and started on its own disk: the time until it is
ready is that of a start. At last its data is deleted, and the time until it is ready again is that
of a start plus the reading of its changelog.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.broker import Broker, wait_for
from bench.errors import BenchFailed
from bench.readable import Readable
from bench.runner import cpu_s, peak_mb, running
from bench.scorer_race import SCORER, environment, policy
from bench.show import now_and_then, say
from bench.workload import Shape, events
from common.topics import CONTROL, LIVE, SCORES
from stack import http
from stack.kafka import Kafka
from stack.places import HOST, free_port
from stack.process import Process

SLOWEST_PER_S = 1_000
START_LIMIT_S = 120.0
RECOVERY_LIMIT_S = 1_800.0
DUE_LIMIT_S = 300.0
LOOK_EVERY_S = 0.1
MARKERS = 4
"""What a lag may still count when all is settled: the last transaction's markers."""


class _Final(msgspec.Struct):
    client_id: int
    version: int


class _Event(msgspec.Struct):
    data: _Final


_read = msgspec.json.Decoder(_Event).decode


def measure(kafka: Kafka, folder: Path, sizes: Sequence[int]) -> dict[str, float]:
    """Work through each size on an emptied broker; return the figures."""
    figures: dict[str, float] = {}
    for clients in sizes:
        figures |= one_size(kafka, folder / str(clients), clients)
    for few, many in ((10_000, 100_000), (100_000, 1_000_000)):
        if few in sizes and many in sizes:
            figures[f"growth.ratio_{name_of(many)}_to_{name_of(few)}"] = (
                figures[f"growth.seconds_{name_of(many)}"]
                / figures[f"growth.seconds_{name_of(few)}"]
            )
    figures["recovery.clients_per_s"] = figures[f"recovery.clients_per_s_{name_of(max(sizes))}"]
    return figures


def name_of(clients: int) -> str:
    """Return a number of clients as figures name it: 20k, 1m."""
    for unit, letter in ((1_000_000, "m"), (1_000, "k")):
        if clients % unit == 0:
            return f"{clients // unit}{letter}"
    return str(clients)


def one_size(kafka: Kafka, folder: Path, clients: int) -> dict[str, float]:
    """Work through one size on an emptied broker, then recover; return the figures."""
    broker, shape, name = Broker(kafka.bootstrap_servers), Shape(clients), name_of(clients)
    broker.empty()
    broker.write(CONTROL, policy())
    began = time.monotonic()
    broker.load(
        LIVE,
        events(shape),
        lambda n: now_and_then(f"growth {name}: {n:,} of {shape.events:,} events written"),
    )
    say(f"growth {name}: {shape.events:,} events written in {time.monotonic() - began:.0f} s")
    health = free_port()
    env = environment(broker.servers, folder) | {"HEALTH_PORT": str(health)}
    with running(SCORER, folder, env) as process:
        before = cpu_s(kafka.process)
        seconds = _work_through(broker, process, shape)
        peak, own, brokers = peak_mb(process), cpu_s(process), cpu_s(kafka.process) - before
    _check(broker, shape)
    say(
        f"growth {name}: {seconds:,.1f} s, {shape.events / seconds:,.0f} events/s, {peak:,.0f} MB;"
        f" processor: scorer {own:,.0f} s, broker {brokers:,.0f} s"
    )
    own_disk = _recovery(folder, env, health)
    shutil.rmtree(folder / "data")
    recovered = _recovery(folder, env, health)
    say(
        f"growth {name}: recovered from its own disk in {own_disk:,.1f} s,"
        f" from nothing in {recovered:,.1f} s"
    )
    return {
        f"growth.seconds_{name}": seconds,
        f"growth.cpu_seconds_{name}": own,
        f"growth.broker_cpu_seconds_{name}": brokers,
        f"memory_mb.scorer_{name}_clients": peak,
        f"recovery.own_disk_seconds_{name}": own_disk,
        f"recovery.seconds_{name}": recovered,
        f"recovery.clients_per_s_{name}": clients / recovered,
    }


def _recovery(folder: Path, env: dict[str, str], health: int) -> float:
    """Start a worker on what its folder holds; return the seconds until it says it is ready."""
    began = time.monotonic()
    with running(SCORER, folder, env) as process:
        process.wait_ready(lambda: http.check(f"http://{HOST}:{health}/readyz"), RECOVERY_LIMIT_S)
        return time.monotonic() - began


def _work_through(broker: Broker, process: Process, shape: Shape) -> float:
    """Return the seconds from the first score to the last event settled."""
    scores = Readable(broker, SCORES, process)
    try:
        wait_for("the first score", lambda: sum(scores.look().values()) > 0, START_LIMIT_S)
        began = time.monotonic()

        def done() -> bool:
            told = sum(scores.look().values())
            now_and_then(f"growth: {told:,} of about {shape.events:,} scores")
            return broker.lag("scorer", LIVE) <= MARKERS

        limit_s = START_LIMIT_S + shape.events / SLOWEST_PER_S
        wait_for("every event is settled", done, limit_s, LOOK_EVERY_S)
        return time.monotonic() - began
    finally:
        scores.close()


def _check(broker: Broker, shape: Shape) -> None:
    """Raise BenchFailed unless the newest scores count every client's last order."""
    found: dict[int, int] = {}
    for message in broker.read(SCORES):
        value = message.value()
        if value is not None:
            final = _read(value).data
            found[final.client_id] = max(final.version, found.get(final.client_id, 0))
    newest = max(found.values(), default=0)
    if len(found) != shape.clients or newest != shape.events:
        raise BenchFailed(
            f"{len(found):,} of {shape.clients:,} clients have a score,"
            f" the newest names version {newest:,} of {shape.events:,}"
        )


def due_index() -> dict[str, float]:
    """Return what a due-index of a million clients costs, measured in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.due_memory"],
        capture_output=True,
        text=True,
        check=False,
        timeout=DUE_LIMIT_S,
        cwd=Path(__file__).parents[1],
    )
    if done.returncode != 0:
        raise BenchFailed(f"the due-index could not be measured: {done.stderr[-500:]}")
    return {"memory_mb.due_index_1m": float(done.stdout)}
