"""A system at rest: what each part of it costs while nothing changes."""

import contextlib
import time
from pathlib import Path

import psutil

from bench.show import say
from stack.launcher import Stack
from stack.process import Process

SETTLED_S = 15.0
"""What a part does once, it does within this time of its start."""


def measure(folder: Path, seconds: float) -> dict[str, float]:
    """Start a system, look at it for so long, and return each part's share of one core in percent.

    No page is open and no client asks for anything.
    """
    with Stack(folder / "stack", durable=True) as stack:
        stack.start()
        time.sleep(SETTLED_S)
        say(f"rest: {seconds:.0f} s")
        parts = {name: stack.parts.process(name) for name in stack.parts.names}
        before = {name: _cpu_s(process) for name, process in parts.items()}
        began = time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - began
        shares = {
            name: (_cpu_s(process) - before[name]) / took * 100 for name, process in parts.items()
        }
    return {
        "rest.cpu_percent": sum(shares.values()),
        **{f"rest.cpu_percent.{name}": share for name, share in shares.items()},
    }


def _cpu_s(process: Process) -> float:
    """Return the seconds of processor time of a process and of those that it has started."""
    top = psutil.Process(process.pid)
    used = 0.0
    for one in [top, *top.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            used += times.user + times.system
    return used
