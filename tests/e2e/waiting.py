"""Waiting on conditions, with a limit; never on time alone."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
POLL_S = 0.2


def wait_for(what: str, look: Callable[[], T | None], limit_s: float) -> T:
    """Return the first answer of ``look`` that is not None; fails the test at the limit."""
    deadline = time.monotonic() + limit_s
    while True:
        found = look()
        if found is not None:
            return found
        assert time.monotonic() < deadline, f"{what}: not within {limit_s:.0f} s"
        time.sleep(POLL_S)
