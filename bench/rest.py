"""A system at rest: what each part of it costs while nothing changes."""

import time
from pathlib import Path

from bench.runner import family_cpu_s
from bench.show import say
from stack.launcher import Stack

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
        before = {name: family_cpu_s(process) for name, process in parts.items()}
        began = time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - began
        shares = {
            name: (family_cpu_s(process) - before[name]) / took * 100
            for name, process in parts.items()
        }
    return {
        "rest.cpu_percent": sum(shares.values()),
        **{f"rest.cpu_percent.{name}": share for name, share in shares.items()},
    }
