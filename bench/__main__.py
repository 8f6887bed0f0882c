"""The benchmark suite: ``python -m bench`` measures, prints and writes ``bench/results.json``.

Figures of a shared machine are noisy: compare ratios of one run, not absolute numbers of two.
"""

import argparse
import contextlib
import json
import logging
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import httpx
from confluent_kafka import KafkaException

from bench import (
    api,
    emails,
    growth,
    latency,
    relay_race,
    rest,
    scale,
    scorer_race,
    whole_path,
)
from bench.errors import BenchFailed
from bench.figures import merged, table
from bench.runner import peak_mb
from bench.show import say
from common.errors import Misconfigured, Transient
from demo.api import Api, StepMissing
from demo.cdnow import Clients
from stack import signals
from stack.errors import Missing, PartFailed
from stack.kafka import Kafka
from stack.launcher import Stack
from stack.tokens import As

RESULTS = Path(__file__).parent / "results.json"
FAILURES = (
    BenchFailed,
    Missing,
    PartFailed,
    StepMissing,
    Misconfigured,
    Transient,
    KafkaException,
    asyncpg.PostgresError,
    httpx.HTTPError,
    OSError,
)


class Size(NamedTuple):
    """How much a run measures."""

    scorer_clients: int
    faust_part: int
    """The slowest contender gets the first n-th of the events: its rate is what counts."""
    relay_clients: int
    rounds: int
    histories: Clients
    page_orders: int
    phase_s: int
    phases: int
    emails: int
    rest_s: float
    growth: tuple[int, ...]
    api_clients: int
    api: api.Timing
    scale: scale.Size


QUICK = Size(
    3_000,
    4,
    5_000,
    3,
    "sample",
    20,
    6,
    1,
    3_000,
    10.0,
    (),
    50_000,
    api.Timing(3, 1.0),
    scale.Size(2_000, 2_000, 6.0),
)
FULL = Size(
    50_000,
    1,
    20_000,
    3,
    "all",
    500,
    30,
    3,
    20_000,
    60.0,
    (10_000, 100_000, 1_000_000),
    1_000_000,
    api.Timing(5, 3.0),
    scale.Size(12_000, 20_000, 30.0),
)


def scorer(folder: Path, size: Size) -> dict[str, float]:
    """Race the scorer against a plain loop, plain Faust and Quix Streams."""
    with Kafka.start(folder / "kafka") as kafka:
        return scorer_race.race(
            kafka.bootstrap_servers,
            folder / "runs",
            size.scorer_clients,
            size.rounds,
            faust_part=size.faust_part,
        )


def relay(folder: Path, size: Size) -> dict[str, float]:
    """Race the relay against a raw transactional copy."""
    with Kafka.start(folder / "kafka") as kafka:
        servers = kafka.bootstrap_servers
        return relay_race.race(servers, folder / "runs", size.relay_clients, size.rounds)


def rows(folder: Path, size: Size) -> dict[str, float]:
    """Measure the whole path, and both lanes, on a stack of its own."""
    with Stack(folder / "stack", durable=True) as stack, contextlib.ExitStack() as last:
        stack.start_servers()
        stack.start_api()
        api = Api(stack.api_url, As(stack.issuer_url))
        last.callback(api.close)
        figures = whole_path.fill(stack, api, size.histories)
        figures |= whole_path.row_to_page(api, size.page_orders)
        figures |= latency.measure(stack, folder / "flood", size.phase_s, size.phases)
        held = {name: peak_mb(stack.parts.process(name)) for name in ("relay", "projector")}
        return figures | {f"memory_mb.{name}": peak for name, peak in held.items()}


def writing(folder: Path, size: Size) -> dict[str, float]:
    """Measure how many emails a second one mailer writes with 200 slow calls in flight."""
    return emails.measure(folder, size.emails)


def resting(folder: Path, size: Size) -> dict[str, float]:
    """Measure the processor time of a system in which nothing changes."""
    return rest.measure(folder, size.rest_s)


def growing(folder: Path, size: Size) -> dict[str, float]:
    """Measure ten times the clients, memory and recovery; the full run alone."""
    figures = growth.due_index()
    if size.growth:
        with Kafka.start(folder / "kafka") as kafka:
            figures |= growth.measure(kafka, folder / "runs", size.growth)
    return figures


def pages(folder: Path, size: Size) -> dict[str, float]:
    """Measure the API's lists and rows on a large shop, beside a bare route."""
    return api.measure(folder, size.api_clients, size.api)


def scaling(folder: Path, size: Size) -> dict[str, float]:
    """Measure 1, 2 and 4 scorer workers side by side, rebalances under load, and recovery."""
    return scale.measure(folder, size.scale, size.rounds)


PARTS: Mapping[str, Callable[[Path, Size], dict[str, float]]] = {
    "scorer": scorer,
    "relay": relay,
    "rows": rows,
    "emails": writing,
    "rest": resting,
    "api": pages,
    "growth": growing,
    "scale": scaling,
}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog="parts: "
        + "; ".join(f"{name}: {(part.__doc__ or '').strip()}" for name, part in PARTS.items())
        + " With QUICK=1 in the environment all of it takes under three minutes on an idle"
        " machine; without, over an hour, most of it for growth.",
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=list(PARTS),
        metavar="NAME",
        help=f"measure this part alone ({', '.join(PARTS)}); may be given again",
    )
    parser.add_argument(
        "--out", type=Path, default=RESULTS, help="where to write, or to add to, the figures"
    )
    parser.add_argument(
        "--rounds", type=int, help="rounds of the comparisons (default: 3)", metavar="N"
    )
    parser.add_argument(
        "--clients",
        type=int,
        nargs="+",
        help="sizes for growth, in clients (default: 10000 100000 1000000)",
        metavar="N",
    )
    return parser.parse_args()


def machine(*, quick: bool) -> dict[str, Any]:
    """Describe what the figures were measured on."""
    return {
        "quick": quick,
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load_average_before": round(os.getloadavg()[0], 2),
    }


def main() -> int:
    """Run what was asked for; 0 when all was measured, 1 with one line when something failed."""
    asked = arguments()
    quick = bool(os.environ.get("QUICK"))
    size = QUICK if quick else FULL
    if asked.rounds:
        size = size._replace(rounds=asked.rounds)
    if asked.clients:
        size = size._replace(growth=tuple(sorted(asked.clients)))
    signals.as_interrupts()
    # A broker that has just started says so to every client, and they try again.
    logging.getLogger("librdkafka").setLevel(logging.CRITICAL)
    header = machine(quick=quick)
    say(f"machine: {header}")
    try:
        for name in asked.only or PARTS:
            began = time.monotonic()
            with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
                figures = PARTS[name](Path(folder), size)
            say(f"{name}: took {time.monotonic() - began:.0f} s")
            write(asked.out, header, figures)
    except FAILURES as error:
        print(f"the benchmark failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def write(out: Path, header: Mapping[str, Any], figures: Mapping[str, float]) -> None:
    """Print the figures of one part, and add them to the report at once."""
    print("\n".join(table(figures)), flush=True)
    old = json.loads(out.read_text()) if out.is_file() else {}
    draft = out.with_suffix(".new")
    draft.write_text(json.dumps(merged(old, header, figures), indent=2) + "\n")
    draft.replace(out)


if __name__ == "__main__":
    sys.exit(main())
