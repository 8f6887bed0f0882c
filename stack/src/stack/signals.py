"""Being told to stop: every polite signal ends the run as Ctrl-C does."""

import signal
from types import FrameType
from typing import NoReturn


def as_interrupts() -> None:
    """Let TERM and HUP raise KeyboardInterrupt in the main thread, so that all is stopped in order.

    Whoever starts us may tie us to its life with TERM, see ``stack.tied``.
    """

    def interrupt(number: int, _: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
