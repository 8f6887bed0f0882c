"""One child process: its log, its readiness, its end. It never outlives its parent."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from stack import starter, tied
from stack.errors import PartFailed
from stack.family import Closing, Family
from stack.starter import Child

POLL_S = 0.05
STOP_LIMIT_S = 15.0
KILL_LIMIT_S = 10.0

Check = Callable[[], str | None]
"""Returns None when all is well, otherwise what is wrong, in a few words."""


class Process:
    """A program that runs as our child, writes to one log file, and is tied to our life."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        before: Sequence[str] = (),
        stop_signal: signal.Signals = signal.SIGTERM,
        death_signal: signal.Signals = signal.SIGKILL,
        family: Family | None = None,
    ) -> None:
        """Describe the process; ``start`` starts it.

        ``env`` is its whole environment (default: ours). ``before`` are words that go in front of
        everything, such as ``unshare …``. ``stop_signal`` asks it to stop tidily; ``death_signal``
        is what it gets when we die without stopping it. ``family`` ends it with the others.
        """
        self.name = name
        self.log = log
        self._command = list(command)
        self._env = env
        self._cwd = cwd
        self._before = list(before)
        self._stop_signal = stop_signal
        self._death_signal = death_signal
        self._family = family or Family()
        self._child: Child | None = None
        self._stopping = False

    def start(self) -> None:
        """Start the program. Raises PartFailed when it cannot be started at all, Closing."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._family.admit(self, self._start)
        except OSError as error:
            raise PartFailed(self.name, f"could not be started: {error}", self.log) from error

    def _start(self) -> None:
        self._stopping = False
        self._child = starter.start(self._spawn)

    def _spawn(self) -> Child:
        tie = [sys.executable, "-I", "-S", tied.__file__]
        signal_name = self._death_signal.name.removeprefix("SIG")
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*self._before, *tie, signal_name, str(os.getpid()), *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(self._env) if self._env is not None else None,
                cwd=self._cwd,
                # A session of its own: Ctrl-C reaches us alone, and we stop all in order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id of the program, which need not run any more."""
        return self._started.pid

    @property
    def _started(self) -> Child:
        if self._child is None:
            raise PartFailed(self.name, "was never started", self.log)
        return self._child

    def _ended(self, code: int) -> PartFailed | Closing:
        if self._family.closing:  # it ended because all are ended, which is no failure of its own
            return Closing(self.name)
        return PartFailed(self.name, _how_it_ended(code), self.log)

    @property
    def running(self) -> bool:
        """Whether the program runs."""
        return self._child is not None and self._child.poll() is None

    def died(self) -> PartFailed | None:
        """Return what to report when the program has ended without being told to."""
        if self._child is None or self._stopping or self._child.poll() is None:
            return None
        return PartFailed(self.name, _how_it_ended(self._child.returncode), self.log)

    def start_ready(self, check: Check, limit_s: float) -> None:
        """Start the program and wait until it is ready; what is not ready in time is killed.

        Raises PartFailed, with the log's last lines, when the program ends before or ``limit_s``
        seconds have passed; Closing.
        """
        self.start()
        try:
            self.wait_ready(check, limit_s)
        except BaseException:
            self.kill()
            raise

    def wait_ready(self, check: Check, limit_s: float) -> None:
        """Wait until ``check`` finds nothing wrong. Raises PartFailed as ``start_ready`` does."""
        deadline = time.monotonic() + limit_s
        while problem := check():
            self.wait_a_moment()
            if time.monotonic() > deadline:
                what = f"was not ready within {limit_s:.0f} s ({problem})"
                raise PartFailed(self.name, what, self.log)

    def wait_a_moment(self) -> None:
        """Let a little time pass, less when the program ends: then raise PartFailed or Closing."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise self._ended(self._started.wait(POLL_S))

    def wait(self, limit_s: float) -> None:
        """Wait for the program to end by itself, and well; raises PartFailed, Closing."""
        try:
            code = self._started.wait(limit_s)
            if code != 0:
                raise self._ended(code)
        except subprocess.TimeoutExpired:
            raise PartFailed(self.name, f"did not end within {limit_s:.0f} s", self.log) from None

    def stop(self, limit_s: float = STOP_LIMIT_S) -> None:
        """Ask the program to stop; after ``limit_s`` seconds, kill it and all it started."""
        self._stopping = True
        if self._child is None or self._child.poll() is not None:
            return
        self._child.send_signal(self._stop_signal)
        try:
            self._child.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def stop_by_itself(self, limit_s: float) -> None:
        """Ask the program to stop; raises PartFailed when it did not within ``limit_s`` seconds."""
        self.stop(limit_s)
        if self._started.returncode == -signal.SIGKILL:
            raise PartFailed(self.name, f"did not end within {limit_s:.0f} s", self.log)

    def kill(self) -> None:
        """End the program and all it started, as kill -9 does."""
        self._stopping = True
        if self._child is None:
            return
        family = self._descendants()
        self._child.kill()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._child.wait(KILL_LIMIT_S)
        psutil.wait_procs(family, timeout=KILL_LIMIT_S)

    def _descendants(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []


def run(
    name: str,
    command: Sequence[str],
    log: Path,
    limit_s: float,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    before: Sequence[str] = (),
    family: Family | None = None,
) -> None:
    """Run a program to its end; raises PartFailed when it fails or takes over ``limit_s`` s."""
    process = Process(name, command, log, env=env, cwd=cwd, before=before, family=family)
    process.start()
    try:
        process.wait(limit_s)
    except BaseException:
        process.kill()
        raise


def _how_it_ended(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
