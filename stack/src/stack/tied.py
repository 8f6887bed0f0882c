"""Run a program whose life is tied to its parent's: when the parent dies, it gets a signal.

Used as a program, ``python tied.py SIGNAL PARENT COMMAND...``: it ties itself and then becomes the
command, so that not even kill -9 of the parent leaves the command behind. Linux only (prctl).
It must stay free of imports beyond the standard library: it runs isolated, without site-packages.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
EXIT_PARENT_GONE = 0


def tie(death_signal: int, parent: int) -> None:
    """Ask the kernel for ``death_signal`` when the parent dies; exit if it is dead already.

    The kernel watches the *thread* that started this process, see ``stack.process``.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    if os.getppid() != parent:  # it died before we asked, so no signal will ever come
        sys.exit(EXIT_PARENT_GONE)


def main(argv: list[str]) -> None:
    """Tie this process to its parent and become the command."""
    name, parent, *command = argv
    tie(signal.Signals[f"SIG{name}"], int(parent))
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
