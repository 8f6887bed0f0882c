"""deploy/k8s on real API servers: ``python -m tests.deploy.k8s [PART…]``; all parts without one.

admission  a real API server judges every overlay, warnings being errors
simulated  simulated nodes in three zones: rollouts, volumes, jobs, drained nodes
journey    real pods: the journey of tests/e2e/test_journey.py in a browser
rolling    real pods: every service restarted under load; nothing fails, nothing is lost
rebuild    real pods: a new generation of the scorer under load, as docs/operations has it
chaos      real pods: pods deleted at random under load; the checker of the emails finds nothing
"""

import argparse
import os
import random
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from stack import signals
from tests.chaos.emails.journal import Journal
from tests.deploy.engine import Missing, engine
from tests.deploy.k8s import (
    admission,
    chaos,
    control_plane,
    images,
    journey,
    node,
    rebuilding,
    rolling,
    simulated,
    tools,
)
from tests.deploy.k8s.cluster import Cluster, Refused
from tests.deploy.k8s.overlays import Overlays
from tests.deploy.k8s.reckoning import Unbalanced
from tests.deploy.k8s.shop import deployed

T = TypeVar("T")

JUDGED = ("admission", "simulated")
REAL = ("journey", "rolling", "rebuild", "chaos")
LOAD_LIMIT_S = 1800.0
FAILURES = (
    *(Refused, Unbalanced, admission.Wrong, simulated.Wrong, AssertionError),
    *(subprocess.SubprocessError, TimeoutError),
)


def main(argv: list[str]) -> int:
    """Run the parts that were asked for; return the exit code."""
    arguments = _arguments(argv)
    signals.as_interrupts()
    parts = arguments.parts or [*JUDGED, *REAL]
    print(f"seed {arguments.seed}", flush=True)
    try:
        with tempfile.TemporaryDirectory(prefix="k8s-test-") as folder:
            overlays = Overlays(Path(folder))
            if set(parts) & set(JUDGED):
                _judge(arguments, parts, overlays)
            if set(parts) & set(REAL):
                _really(arguments, parts, overlays)
    except (Missing, admission.Occupied) as unfit:
        print(unfit, file=sys.stderr)
        return 2
    except FAILURES as error:
        print(f"k8s-test failed: {error}", file=sys.stderr)
        return 1
    print(f"k8s-test: {', '.join(parts)}: all well")
    return 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.deploy.k8s",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", choices=(*JUDGED, *REAL, []))
    parser.add_argument("--minutes", type=float, default=10.0, help="of chaos")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument(
        "--kubeconfig",
        type=Path,
        help="a cluster of your own, such as kind's, for nothing else: its namespace engage-test is"
        " removed; 'admission' adds the operators' definitions that are missing, for good, and"
        " makes and removes the namespaces of all overlays, unless one is there already",
    )
    parser.add_argument(
        "--load",
        metavar="COMMAND",
        help="brings images into it: their names follow, as in 'kind load docker-image'",
    )
    return parser.parse_args(argv)


def _judge(arguments: argparse.Namespace, parts: list[str], overlays: Overlays) -> None:
    with ExitStack() as stack:
        if arguments.kubeconfig is None:
            cluster = stack.enter_context(control_plane.running(tools.find()))
        else:
            cluster = Cluster(arguments.kubeconfig, dict(os.environ))
            if "simulated" in parts:
                raise Missing(f"simulated nodes are no matter for a real cluster: {tools.INSTALL}")
        if "admission" in parts:
            _timed("admission", lambda: admission.check(cluster, overlays))
        if "simulated" in parts:
            _timed("simulated", lambda: simulated.check(cluster, overlays))


def _really(arguments: argparse.Namespace, parts: list[str], overlays: Overlays) -> None:
    with _cluster(arguments) as cluster:
        if "journey" in parts:
            _timed("journey", lambda: journey.check(cluster, overlays))
        for part in REAL[1:]:
            if part in parts:
                _timed(part, partial(_trade, part, arguments, cluster, overlays))


def _trade(part: str, arguments: argparse.Namespace, cluster: Cluster, overlays: Overlays) -> None:
    """Restart services, delete pods, or rebuild the scorer's table, of a shop of its own."""
    with deployed(cluster, overlays, "trading") as shop:
        journal = Journal(shop.folder / "journal.jsonl")
        try:
            if part == "rolling":
                rolling.check(shop, journal, arguments.seed)
            elif part == "rebuild":
                rebuilding.check(shop, journal, overlays, arguments.seed)
            else:
                chaos.check(shop, journal, overlays, arguments.minutes, arguments.seed)
        finally:
            journal.close()


@contextmanager
def _cluster(arguments: argparse.Namespace) -> Iterator[Cluster]:
    """Find a cluster that has our images, or run one until the block ends."""
    with engine() as running:
        built = _timed("images", lambda: images.build(running))
        if arguments.kubeconfig is not None:
            if arguments.load:
                words = [*shlex.split(arguments.load), *built]
                subprocess.run(words, timeout=LOAD_LIMIT_S, check=True)
            yield Cluster(arguments.kubeconfig, dict(os.environ))
            return
        began = time.monotonic()
        with node.running(tools.find(), running, built) as cluster:
            print(f"node: {time.monotonic() - began:.1f} s", flush=True)
            yield cluster


def _timed(what: str, work: Callable[[], T]) -> T:
    began = time.monotonic()
    done = work()
    print(f"{what}: {time.monotonic() - began:.1f} s", flush=True)
    return done


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
