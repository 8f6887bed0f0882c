"""Several workers of the scorer as one group: each has its name, folder and health port."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench.broker import Broker, wait_for
from bench.runner import running
from bench.scorer_race import SCORER
from bench.workload import PARTITIONS
from common.topics import LIVE, group_of
from stack import http
from stack.places import HOST, free_port
from stack.process import Process

SHARED_LIMIT_S = 120.0


class Worker(NamedTuple):
    """A worker that runs, or ran."""

    name: str
    process: Process
    ready_url: str


@contextlib.contextmanager
def working(env: Mapping[str, str], folder: Path, number: int) -> Iterator[Worker]:
    """Run the worker of this number; those of one group are given the same ``env``.

    Its clock is the group's: were each worker's its own, a later one would be behind the ticks.
    """
    name, health = f"worker-{number}", free_port()
    own = {
        "SCORER_INSTANCE_ID": name,
        "SCORER_DATA_DIR": str(folder / name / "data"),
        "HEALTH_PORT": str(health),
    }
    contender = SCORER._replace(name=name)
    with running(contender, folder / name, {**env, **own}) as process:
        yield Worker(name, process, f"http://{HOST}:{health}/readyz")


def shared(broker: Broker, workers: Sequence[Worker]) -> bool:
    """Whether exactly these workers make up the group, and every partition is one's of them.

    Raises PartFailed when one of them has ended.
    """
    for worker in workers:
        if failure := worker.process.died():
            raise failure
    members = broker.members(group_of(1), LIVE)
    taken = set().union(*members.values())
    return members.keys() == {worker.name for worker in workers} and len(taken) == PARTITIONS


def wait_shared(broker: Broker, workers: Sequence[Worker]) -> None:
    """Wait until workers share the partitions and each is ready; raises BenchFailed, PartFailed."""
    names = ", ".join(worker.name for worker in workers)
    wait_for(f"{names} share the partitions", lambda: shared(broker, workers), SHARED_LIMIT_S)
    for worker in workers:
        worker.process.wait_ready(partial(http.check, worker.ready_url), SHARED_LIMIT_S)
