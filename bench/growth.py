"""How the scorer grows: time and memory for ten times the clients, and recovery from nothing.

A size is timed from the first score that can be read to the last event settled, so the start of
the process does not count. Then its data is deleted, and the time until it is ready again is that
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

NAMES = {10_000: "10k", 100_000: "100k", 1_000_000: "1m"}


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
        figures |= _size(kafka, folder / str(clients), clients)
    for few, many in ((10_000, 100_000), (100_000, 1_000_000)):
        if few in sizes and many in sizes:
            figures[f"growth.ratio_{NAMES[many]}_to_{NAMES[few]}"] = (
                figures[f"growth.seconds_{NAMES[many]}"] / figures[f"growth.seconds_{NAMES[few]}"]
            )
    figures["recovery.clients_per_s"] = figures[f"recovery.clients_per_s_{_name(max(sizes))}"]
    return figures


def _name(clients: int) -> str:
    return NAMES.get(clients, str(clients))


def _size(kafka: Kafka, folder: Path, clients: int) -> dict[str, float]:
    broker, shape, name = Broker(kafka.bootstrap_servers), Shape(clients), _name(clients)
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
    shutil.rmtree(folder / "data")
    began = time.monotonic()
    with running(SCORER, folder, env) as process:
        process.wait_ready(lambda: http.check(f"http://{HOST}:{health}/readyz"), RECOVERY_LIMIT_S)
        recovered = time.monotonic() - began
    say(f"growth {name}: recovered from nothing in {recovered:,.1f} s")
    return {
        f"growth.seconds_{name}": seconds,
        f"growth.cpu_seconds_{name}": own,
        f"growth.broker_cpu_seconds_{name}": brokers,
        f"memory_mb.scorer_{name}_clients": peak,
        f"recovery.seconds_{name}": recovered,
        f"recovery.clients_per_s_{name}": clients / recovered,
    }


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
