"""Our scorer with one fault built in, named by FAULT: what must end the process, must end it."""

import os
import signal
from pathlib import Path
from typing import Any

from scorer import __main__ as front
from scorer import watchdog
from scorer.shims.reading import RunConsumer
from scorer.writer import Writer

STALL_LIMIT_S = 4.0


async def never_commit(*_: Any, **__: Any) -> bool:
    """Pretend that there was nothing to commit, as Faust does when it finds a gap."""
    return False


def sleep_when_told() -> None:
    """Stop this process, once, as soon as the file named by SLEEP is there."""
    file = Path(os.environ["SLEEP"])
    if file.exists():
        file.unlink()
        os.kill(os.getpid(), signal.SIGSTOP)


def sleep_before_commit() -> None:
    """Let a worker sleep when everything of a settle has been sent, and is not committed."""
    commit = Writer._commit

    def sleepy(self: Writer) -> None:
        sleep_when_told()
        commit(self)

    Writer._commit = sleepy  # type: ignore[method-assign]


def main() -> None:
    """Run the scorer with the fault."""
    if os.environ["FAULT"] == "commit":
        RunConsumer.force_commit = never_commit  # type: ignore[method-assign, assignment]
    if os.environ["FAULT"] == "sleep":
        sleep_before_commit()
        front.main()
    watchdog.Watchdog.__init__.__defaults__ = (STALL_LIMIT_S, STALL_LIMIT_S)
    front.main()


if __name__ == "__main__":
    main()
