"""Java as the machine has it: found, checked, and how a program of it is started."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from stack.errors import Missing

OLDEST = 17

LOG4J = """\
status=warn
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{{ISO8601}} %p %c{{1}}: %m%n
rootLogger.level={level}
rootLogger.appenderRef.console.ref=console
"""


def version_of(said: str) -> int | None:
    """Return the major version in what ``java -version`` said, or None."""
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found.group(1)) if found else None


def find() -> str:
    """Return the path of ``java``. Raises Missing when there is none or it is too old."""
    java, _ = _found()
    return java


def build() -> str:
    """Return a short name of this very build of Java. Raises Missing."""
    _, said = _found()
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def _found() -> tuple[str, str]:
    """Return where ``java`` is and what it says of itself."""
    java = shutil.which("java")
    if java is None:
        raise Missing(f"Java {OLDEST} or later (java) is not on the PATH")
    said = subprocess.run(
        [java, "-version"], capture_output=True, text=True, timeout=60, check=False
    ).stderr
    version = version_of(said)
    if version is None or version < OLDEST:
        raise Missing(f"Java {OLDEST} or later is needed; {java} is {version or 'unknown'}")
    return java, said


def command(
    main_class: str,
    jars: Path,
    folder: Path,
    *arguments: str,
    heap_mb: int,
    options: Sequence[str] = (),
) -> list[str]:
    """Return the command of a Java program that logs to its standard output.

    ``folder`` takes the logging configuration; ``options`` are Java's own. Raises Missing.
    """
    logging = folder / "log4j2.properties"
    logging.write_text(LOG4J.format(level="info"))
    return [
        find(),
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",  # least memory; heaps are small and cores few
        "-XX:TieredStopAtLevel=1",  # starts twice as fast
        "-XX:+ExitOnOutOfMemoryError",
        *options,
        f"-Dlog4j2.configurationFile={logging}",
        "-cp",
        f"{jars}/*",
        main_class,
        *arguments,
    ]
