"""Waiting for conditions, and looking at processes."""

import time
from collections.abc import Callable

import psutil

LIMIT_S = 60.0
POLL_S = 0.05


def wait_until(condition: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> None:
    """Wait for a condition; fail, naming it, when it does not come true in time."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"after {limit_s:.0f} s still not so: {what}"
        time.sleep(POLL_S)


def family_of(pid: int) -> list[psutil.Process]:
    """Return a process and all that it and its children started."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def left(processes: list[psutil.Process]) -> list[str]:
    """Return what is left of some processes: command lines of those that run."""
    found = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{process.pid} {process.cmdline()[:3]}")
        except psutil.NoSuchProcess:
            continue
    return found
