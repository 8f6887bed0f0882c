"""The running parts of one stack: started by name, watched, killed, started again, stopped."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from stack import together
from stack.family import Family
from stack.process import Check, Process, run

SERVICE_LIMIT_S = 120.0
ONE_SHOT_LIMIT_S = 180.0


@dataclass(frozen=True)
class Step:
    """Something that the stack does, as told to whoever shows progress."""

    part: str
    state: Literal["starting", "ready", "stopping", "stopped"]
    seconds: float = 0.0
    """How long it took; 0 for what begins."""


Progress = Callable[[Step], None]
"""Called from several threads; must be quick."""

Launch = Callable[[Family], Process]
"""Starts a part as a member of the family and returns when it is ready."""


def silent(_: Step) -> None:
    """Show no progress."""


class Parts:
    """What runs, by name. A part that ends without being told to is a failure of the run."""

    def __init__(
        self, folder: Path, extra: Mapping[str, Mapping[str, str]], progress: Progress
    ) -> None:
        """Begin with nothing; logs go below ``folder``, ``extra`` adds to environments by name."""
        self._folder = folder
        self._extra = extra
        self._progress = progress
        self._family = Family()
        self._launches: dict[str, Launch] = {}
        self._running: dict[str, Process] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The parts that were started, in that order."""
        return tuple(self._running)

    def process(self, name: str) -> Process:
        """Return the process of a part that was started."""
        return self._running[name]

    def log(self, name: str) -> str:
        """Return what a part, or a command that ran once, has logged."""
        process = self._running.get(name)
        return (process.log if process else self._log_file(name)).read_text(errors="replace")

    def launch(self, name: str, launch: Launch) -> None:
        """Start a part; the same way will start it again. Raises Missing, PartFailed, Closing."""
        self._launches[name] = launch
        self._progress(Step(name, "starting"))

        def start() -> None:
            self._running[name] = launch(self._family)

        self._progress(Step(name, "ready", together.timed(start)))

    def service(self, name: str, words: Sequence[str], env: Mapping[str, str], ok: Check) -> None:
        """Start ``python -m words…`` and wait until ``ok``. Raises PartFailed, Closing."""

        def start(family: Family) -> Process:
            process = Process(
                name,
                [sys.executable, "-m", *words],
                self._log_file(name),
                env={**env, **self._extra.get(name, {})},
                cwd=self._folder,
                family=family,
            )
            process.start_ready(ok, SERVICE_LIMIT_S)
            return process

        self.launch(name, start)

    def one_shot(self, name: str, words: Sequence[str], env: Mapping[str, str]) -> None:
        """Run ``python -m words…`` to its end. Raises PartFailed, Closing."""
        self._progress(Step(name, "starting"))

        def work() -> None:
            run(
                name,
                [sys.executable, "-m", *words],
                self._log_file(name),
                ONE_SHOT_LIMIT_S,
                env={**env, **self._extra.get(name, {})},
                cwd=self._folder,
                family=self._family,
            )

        self._progress(Step(name, "ready", together.timed(work)))

    def side_by_side(self, *jobs: Callable[[], None]) -> None:
        """Do several things at the same time; when one fails, nothing is left running."""
        together.run(jobs, self._family.end)

    def kill(self, name: str) -> None:
        """Kill a part as kill -9 does; this is no failure of the run."""
        self._running[name].kill()

    def stop_one(self, name: str) -> None:
        """Stop a part tidily; this is no failure of the run."""
        process = self._running[name]
        if process.running:
            self._progress(Step(name, "stopping"))
            self._progress(Step(name, "stopped", together.timed(process.stop)))

    def restart(self, name: str) -> None:
        """Start a part again, on its port and data, however it ended; stop it first if it runs."""
        self.stop_one(name)
        self.launch(name, self._launches[name])

    def check(self) -> None:
        """Raise PartFailed when a part has ended without being told to."""
        for process in list(self._running.values()):
            if failure := process.died():
                raise failure

    def stop(self, last: Sequence[str]) -> None:
        """Stop all; those named in ``last`` one by one, in that order, when the others are gone.

        Leaves no process behind, whatever happens.
        """
        self._family.close()
        try:
            first = [name for name in self._running if name not in last]
            together.run([partial(self.stop_one, name) for name in first], self._family.end)
            for name in last:
                if name in self._running:
                    self.stop_one(name)
        finally:
            self._family.end()

    def _log_file(self, name: str) -> Path:
        return self._folder / "logs" / f"{name}.log"
