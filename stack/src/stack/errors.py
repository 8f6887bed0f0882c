"""What can go wrong while the stack runs, said so that a person knows what to do."""

import re
from pathlib import Path

TAIL_LINES = 20
JAVA_FRAME = re.compile(r"\s+(at |\.\.\. \d+ more)")


class Missing(Exception):
    """The machine lacks something that the stack needs; the message is one line."""


class PartFailed(Exception):
    """One part of the stack did not start or ended on its own."""

    def __init__(self, part: str, what: str, log: Path) -> None:
        """Name the part, say what happened, and keep the last lines of its log."""
        self.part = part
        self.log = log
        self.tail = tail(log)
        super().__init__(f"{part} {what}; its last lines, from {log}:\n{self.tail}")


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log file, each indented; a note when there are none.

    The frames of Java's stack traces are left out: they would push out what was said.
    """
    size = 64 * 1024
    if not log.is_file() or log.stat().st_size == 0:
        return "    (nothing was logged)"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - size))
        text = file.read().decode(errors="replace")
    said = [line for line in text.splitlines() if not JAVA_FRAME.match(line)]
    return "\n".join(f"    {line}" for line in said[-lines:])
