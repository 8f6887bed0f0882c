"""Commands as people read them: out of the Markdown of this repository."""

import re
from pathlib import Path

FENCE = "```"


def blocks(file: Path, heading: str) -> list[str]:
    """Return the blocks of commands below a heading, up to the next one, in their order.

    AssertionError when there is no such heading.
    """
    found: list[str] = []
    here = there = inside = False
    for line in file.read_text().splitlines():
        if line.startswith(FENCE):
            inside = line == f"{FENCE}sh"
            if inside and here:
                found.append("")
        elif inside:
            if here:
                found[-1] += f"{line}\n"
        elif line.startswith("#"):
            here = line.lstrip("#") == f" {heading}"
            there = there or here
    assert there, f"{file.name} has no section named {heading}"
    return found


def commands(block: str) -> list[str]:
    """Return the commands of a block; a line that is set in goes on with the one above."""
    return [one.strip() for one in re.split(r"\n(?! )", block.strip())]
