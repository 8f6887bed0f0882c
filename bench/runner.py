"""One contender as a process: warmed up while idle, frozen while the load is written, released.

So every contender finds the whole load there at one exact moment, with its interpreter started,
its modules loaded and its group joined; none of that counts for or against anybody.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

from stack.environment import base
from stack.process import Process

ROOT = Path(__file__).parents[1]
QUIX_PYTHON = ROOT / ".cache/bench-venv/bin/python"
LOCAL_PATHS = (ROOT, ROOT / "libs/common/src", ROOT / "services/scorer/src")
"""What the environment of Quix Streams needs of ours; in our own it is installed."""


class Contender(NamedTuple):
    """A program that takes part."""

    name: str
    module: str
    env: dict[str, str]
    python: str = sys.executable


@contextlib.contextmanager
def running(contender: Contender, folder: Path, env: dict[str, str]) -> Iterator[Process]:
    """Run a contender in a folder of its own; it is ended whatever happens."""
    folder.mkdir(parents=True, exist_ok=True)
    process = Process(
        contender.name,
        [contender.python, "-m", contender.module],
        folder / "log",
        env={
            **base(),
            "PYTHONPATH": os.pathsep.join(map(str, LOCAL_PATHS)),
            "DATA_DIR": str(folder / "data"),
            **env,
            **contender.env,
        },
        cwd=folder,
    )
    process.start()
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGCONT)
        process.stop()


@contextlib.contextmanager
def frozen(*processes: Process) -> Iterator[None]:
    """Hold processes still for a while."""
    for process in processes:
        os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process.pid, signal.SIGCONT)


def peak_mb(process: Process) -> float:
    """Return the most memory that a process has held, in MB of 10^6 bytes (VmHWM)."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("the kernel tells no peak of memory")


def cpu_s(process: Process) -> float:
    """Return the seconds of processor time that a process has used, all threads together."""
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system


def family_cpu_s(process: Process) -> float:
    """Return the processor time of a server and its workers; of those that ended, its part."""
    top = psutil.Process(process.pid)
    total = 0.0
    for one in (top, *top.children(recursive=True)):
        # An autovacuum's worker may end between the listing and the question.
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system
    return total
