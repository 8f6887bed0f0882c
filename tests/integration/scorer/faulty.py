"""Our scorer with one fault built in, named by FAULT: what must end the process, must end it."""

import os
from typing import Any

from scorer import __main__ as front
from scorer import watchdog
from scorer.shims.reading import RunConsumer

STALL_LIMIT_S = 4.0


async def never_commit(*_: Any, **__: Any) -> bool:
    """Pretend that there was nothing to commit, as Faust does when it finds a gap."""
    return False


def main() -> None:
    """Run the scorer with the fault."""
    if os.environ["FAULT"] == "commit":
        RunConsumer.force_commit = never_commit  # type: ignore[method-assign, assignment]
    watchdog.Watchdog.__init__.__defaults__ = (STALL_LIMIT_S, STALL_LIMIT_S)
    front.main()


if __name__ == "__main__":
    main()
