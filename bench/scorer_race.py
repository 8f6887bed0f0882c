"""The scorer beside a plain loop, a plain Faust agent and Quix Streams, all doing the same work.

A rate is events of the workload over the seconds from the moment at which all of it lay before the
contender to the moment at which the last client's final score could be read.
"""

import statistics
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from bench.broker import Broker
from bench.errors import BenchFailed
from bench.finals import Finals, Judged, check_same, reference
from bench.readable import Readable
from bench.runner import QUIX_PYTHON, Contender, cpu_s, frozen, peak_mb, running
from bench.show import say
from bench.workload import (
    MOMENT,
    PARTITIONS,
    WARM_CLIENTS_FROM,
    Shape,
    Written,
    events,
)
from common.clock import Anchor, write_anchor
from common.codec import encode
from common.events import PolicyPublished
from common.score.policy import Policy
from common.topics import CONTROL, LIVE, SCORES
from stack.process import Process

WARM = Shape(clients=200, orders=2, first_client=WARM_CLIENTS_FROM)
WARM_LIMIT_S = 180.0
QUIET_S = 0.7
SLOWEST_PER_S = 100
"""Whoever is slower than this has failed."""

SCORER = Contender("scorer", "scorer", {})
PLAIN_LOOP = Contender("plain-loop", "bench.contenders.plain_loop", {})
PLAIN_FAUST = Contender("plain-faust", "bench.contenders.plain_faust", {"STORE": "memory://"})
QUIX = Contender("quix", "bench.contenders.quix", {}, str(QUIX_PYTHON))
CONTENDERS = (SCORER, PLAIN_LOOP, PLAIN_FAUST, QUIX)


class Run(NamedTuple):
    """What one run of one contender gave."""

    seconds: float
    finals: dict[int, Judged]
    peaks_mb: tuple[float, ...]
    """Of each process."""
    cpu_s: float
    """Processor time of the contender: it says more than seconds where others work beside it."""
    beside_cpu_s: float
    """Processor time of those that it needs."""


def policy() -> Iterable[Written]:
    """Return the policy for every partition."""
    value = encode(
        PolicyPublished(policy=Policy()),
        id="bench",
        source="bench",
        subject="policy/1",
        time=datetime.now(UTC),
    )
    return [Written(partition, b"policy/1", value) for partition in range(PARTITIONS)]


def environment(servers: str, folder: Path) -> dict[str, str]:
    """Return what every contender is told; business time begins at the workload's moment."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = folder / "clock.json"
    write_anchor(clock, Anchor(datetime.now(UTC), MOMENT, 1.0))
    return {
        "KAFKA_BOOTSTRAP_SERVERS": servers,
        "TOPIC_PARTITIONS": str(PARTITIONS),
        "CLOCK_FILE": str(clock),
        "SCORER_DATA_DIR": str(folder / "data"),
        "SCORER_INSTANCE_ID": "bench",
    }


def race_once(
    broker: Broker,
    contender: Contender,
    folder: Path,
    load: list[Written],
    expected: dict[int, int],
) -> Run:
    """Let one contender work through the load on an empty broker."""
    broker.empty()
    broker.write(CONTROL, policy())
    with running(contender, folder, environment(broker.servers, folder)) as process:
        return timed(broker, [process], load, expected)


def timed(
    broker: Broker,
    processes: Sequence[Process],
    load: list[Written],
    expected: dict[int, int],
    beside: Sequence[Process] = (),
) -> Run:
    """Warm processes up, hold them still, write the load, and let them work through it."""
    scores = Readable(broker, SCORES, *processes)
    try:
        broker.load(LIVE, events(WARM))
        begin = scores.settle(WARM.clients, QUIET_S, WARM_LIMIT_S)
        with frozen(*processes):
            broker.load(LIVE, load)
            used, used_beside = sum(map(cpu_s, processes)), sum(map(cpu_s, beside))
            released = time.time()
        deadline = time.monotonic() + WARM_LIMIT_S + len(load) / SLOWEST_PER_S
        finals, ends = Finals(begin), begin
        # Reading costs what the contenders need, so it is done only while no scores come.
        while not finals.complete(expected):
            least = sum(ends.values()) + 1
            ends = scores.settle(least, QUIET_S, deadline - time.monotonic())
            finals.read(broker)
        # On a busy machine the last scores may have come while others were read.
        scores.look()
        return Run(
            scores.since(finals.last) - released,
            finals.scores,
            tuple(map(peak_mb, processes)),
            sum(map(cpu_s, processes)) - used,
            sum(map(cpu_s, beside)) - used_beside,
        )
    finally:
        scores.close()


def race(
    servers: str,
    folder: Path,
    clients: int,
    rounds: int,
    contenders: tuple[Contender, ...] = CONTENDERS,
    *,
    faust_part: int = 1,
) -> dict[str, float]:
    """Race all contenders ``rounds`` times in alternating order; return medians and ratios.

    Plain Faust gets the first ``faust_part``-th of the events. Raises BenchFailed when one did not
    do the work, or not the same.
    """
    if QUIX in contenders and not QUIX_PYTHON.is_file():
        raise BenchFailed("Quix Streams is not installed: run `make bench`, which installs it")
    shape = Shape(clients)
    say(f"scorer: {shape.events:,} events of {clients:,} clients, seed {shape.seed}")
    whole = list(events(shape))
    part = whole[: len(whole) // faust_part]
    loads = {c.name: part if c == PLAIN_FAUST else whole for c in contenders}
    expected = {len(load): reference(load) for load in (whole, part)}
    broker = Broker(servers)
    rates: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    costs: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for number in range(rounds):
        for contender in contenders if number % 2 == 0 else contenders[::-1]:
            name, load = contender.name, loads[contender.name]
            wanted = expected[len(load)]
            versions = {client: judged.version for client, judged in wanted.items()}
            run = race_once(broker, contender, folder / f"{name}-{number}", load, versions)
            check_same(name, run.finals, wanted)
            rates[name].append(len(load) / run.seconds)
            costs[name].append(run.cpu_s / len(load) * 1e6)
            say(
                f"scorer: round {number + 1} of {rounds}, {name}: {rates[name][-1]:,.0f} events/s,"
                f" {costs[name][-1]:,.0f} us of CPU each, {max(run.peaks_mb):,.0f} MB"
            )
    cpu = {
        f"{name.replace('-', '_')}.cpu_us_per_event": statistics.median(cost)
        for name, cost in costs.items()
    }
    return figures(rates) | cpu


def figures(rates: dict[str, list[float]]) -> dict[str, float]:
    """Return the medians, and the scorer's rate over each other's, by figure."""
    medians = {name: statistics.median(found) for name, found in rates.items()}
    ours = medians[SCORER.name]
    found = {"scorer.events_per_s": ours}
    for contender, key in (
        (PLAIN_LOOP, "plain_loop"),
        (PLAIN_FAUST, "plain_faust"),
        (QUIX, "quix_streams"),
    ):
        if contender.name in medians:
            found[f"{key}.events_per_s"] = medians[contender.name]
            found[f"scorer.ratio_to_{key}"] = ours / medians[contender.name]
    return found
