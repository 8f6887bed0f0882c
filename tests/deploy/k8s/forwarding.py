"""A command that forwards ports, for as long as somebody needs them."""

import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from stack.places import answers
from tests.e2e.waiting import wait_for

FORWARD_LIMIT_S = 60.0
STOP_LIMIT_S = 20.0


@contextmanager
def forwarded(
    command: Sequence[str], environment: Mapping[str, str], ports: Collection[int], log: Path
) -> Iterator[None]:
    """Run it until the block ends; AssertionError when it ends before, or a port stays silent."""
    with log.open("wb") as out:
        forward = subprocess.Popen(command, env=environment, stdout=out, stderr=out)

    def ready() -> bool | None:
        assert forward.poll() is None, f"ports are not forwarded:\n{log.read_text()}"
        return True if all(answers(port) for port in ports) else None

    try:
        wait_for("ports are forwarded", ready, FORWARD_LIMIT_S)
        yield
        assert forward.poll() is None, f"ports were not forwarded to the end:\n{log.read_text()}"
    finally:
        forward.terminate()
        forward.wait(STOP_LIMIT_S)
