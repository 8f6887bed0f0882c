"""deploy/k8s on real API servers: ``python -m tests.deploy.k8s [PART…]``; all parts without one.

admission  a real API server judges every overlay, warnings being errors
simulated  simulated nodes in three zones: rollouts, volumes, jobs, drained nodes
install    real pods: README.md's five commands, as a new user runs them
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from stack import signals
from tests.chaos.emails.journal import Journal
from tests.deploy.engine import Engine, Missing, engine
from tests.deploy.k8s import (
    admission,
    chaos,
    control_plane,
    images,
    installing,
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
TRADED = ("rolling", "rebuild", "chaos")
REAL = ("install", "journey", *TRADED)
LOAD_LIMIT_S = 1800.0
NOTHING = ("true",)
"""Brings images to a cluster that has those of the engine already."""
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
        help="brings images into it: their names follow, as in 'kind load docker-image'; without,"
        " it has those of the engine",
    )
    return parser.parse_args(argv)


def _judge(arguments: argparse.Namespace, parts: list[str], overlays: Overlays) -> None:
    with ExitStack() as stack:
        if arguments.kubeconfig is None:
            cluster = stack.enter_context(control_plane.running(tools.find()))
        else:
            cluster = Cluster(arguments.kubeconfig, dict(os.environ))
            if "simulated" in parts:
                raise Missing("simulated nodes are no matter for a real cluster: name other PARTS")
        if "admission" in parts:
            _timed("admission", lambda: admission.check(cluster, overlays))
        if "simulated" in parts:
            _timed("simulated", lambda: simulated.check(cluster, overlays))


def _really(arguments: argparse.Namespace, parts: list[str], overlays: Overlays) -> None:
    with _met(arguments) as place:
        if "install" in parts:
            work = partial(installing.check, place.cluster, place.engine, place.load)
            _timed("install", work)
        if not set(parts) & {"journey", *TRADED}:
            return
        _timed("images", lambda: place.bring(images.build(place.engine)))
        if "journey" in parts:
            _timed("journey", lambda: journey.check(place.cluster, overlays))
        for part in TRADED:
            if part in parts:
                _timed(part, partial(_trade, part, arguments, place.cluster, overlays))


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


@dataclass(frozen=True)
class _Place:
    """A cluster, the engine that builds its images, and the command that brings them there."""

    cluster: Cluster
    engine: Engine
    load: Sequence[str]

    def bring(self, names: list[str]) -> None:
        """Bring images there."""
        words = [*self.load, *names]
        subprocess.run(words, env=self.engine.environment, timeout=LOAD_LIMIT_S, check=True)


@contextmanager
def _met(arguments: argparse.Namespace) -> Iterator[_Place]:
    """Find a cluster, or run one until the block ends; it has the images of the servers."""
    with engine() as running, ExitStack() as stack:
        servers = images.servers(running)
        if arguments.kubeconfig is not None:
            cluster = Cluster(arguments.kubeconfig, dict(os.environ))
            load = shlex.split(arguments.load) if arguments.load else NOTHING
        else:
            began = time.monotonic()
            cluster = stack.enter_context(node.running(tools.find(), running))
            print(f"node: {time.monotonic() - began:.1f} s", flush=True)
            load = node.LOAD
        place = _Place(cluster, running, load)
        place.bring(servers)
        yield place


def _timed(what: str, work: Callable[[], T]) -> T:
    began = time.monotonic()
    done = work()
    print(f"{what}: {time.monotonic() - began:.1f} s", flush=True)
    return done


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
