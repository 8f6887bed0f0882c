"""Our scorer with one fault built in, named by FAULT: what must end the process, must end it."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

from faust.transport.consumer import Consumer

from scorer import __main__ as front
from scorer import watchdog
from scorer.shims.reading import RunConsumer
from scorer.writer import Writer

STALL_LIMIT_S = 4.0
LINGER_S = 0.5


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


def linger_after_seek() -> None:
    """Let a moment pass after each seek to what is committed, as with a slow broker or a busy loop.

    Whatever is fetched in that moment must not be forgotten: Faust's recovery forgets all of it.
    """
    seek = Consumer.perform_seek

    async def slowly(self: Any) -> None:
        await seek(self)
        await asyncio.sleep(LINGER_S)

    Consumer.perform_seek = slowly  # type: ignore[method-assign]


def main() -> None:
    """Run the scorer with the fault."""
    if os.environ["FAULT"] == "commit":
        RunConsumer.force_commit = never_commit  # type: ignore[method-assign, assignment]
    if os.environ["FAULT"] == "sleep":
        sleep_before_commit()
        front.main()
    if os.environ["FAULT"] == "seek":
        linger_after_seek()
        front.main()
    watchdog.Watchdog.__init__.__defaults__ = (STALL_LIMIT_S, STALL_LIMIT_S)
    front.main()


if __name__ == "__main__":
    main()
