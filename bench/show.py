"""Progress on stderr: what is being done, and how far it is."""

import sys
import time

BEGAN = time.monotonic()
EVERY_S = 2.0
_last = 0.0


def say(text: str) -> None:
    """Write one line with the seconds since the start."""
    sys.stderr.write(f"[{time.monotonic() - BEGAN:6.1f} s] {text}\n")
    sys.stderr.flush()


def now_and_then(text: str) -> None:
    """Write a line, unless one was written a moment ago."""
    global _last  # noqa: PLW0603 - one screen, one last time
    if time.monotonic() - _last >= EVERY_S:
        _last = time.monotonic()
        say(text)
