"""A program for the tests: the stack in the foreground, ``foreground.py FOLDER servers|all``."""

import sys
import threading
from pathlib import Path

from stack import signals
from stack.errors import PartFailed
from stack.launcher import Stack


def main(folder: str, what: str) -> int:
    """Start the servers or everything, say so on standard output, watch until told to stop."""
    signals.as_interrupts()
    try:
        with Stack(Path(folder), durable=False) as stack:
            stack.start_servers() if what == "servers" else stack.start()
            print("up", flush=True)
            stack.wait(threading.Event())
    except PartFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
