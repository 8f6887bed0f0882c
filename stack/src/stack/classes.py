"""The classes that a Java program loads, read and checked once: with them it starts much faster."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from stack import downloads, java
from stack.errors import Missing
from stack.places import CACHE

FILE = "classes.jsa"

Rehearse = Callable[[Path, str], None]
"""Runs a program once to a tidy end, with its data in an empty folder and one more Java option."""


def shared(program: str, rehearse: Rehearse) -> str:
    """Return the Java option that lets a program share its archive of classes (JEP 350).

    The archive lies in the cache and is made by ``rehearse`` when there is none for this program
    under this build of Java; another build makes its own. Java itself compares it with the jars,
    and reads those when they differ. Raises Missing, PartFailed.
    """

    def fill(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            rehearse(Path(scratch), f"-XX:ArchiveClassesAtExit={folder / FILE}")
        if not (folder / FILE).is_file():
            raise Missing(f"Java wrote no archive of the classes of {program}")

    made = downloads.cached(f"{program}-classes-{java.build()}", fill)
    return f"-XX:SharedArchiveFile={made / FILE}"
