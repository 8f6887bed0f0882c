"""How far an operation is: bars on a terminal, plain lines elsewhere, always on stderr."""

import sys
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LINE_EVERY_S = 5.0


class Watcher(Protocol):
    """What an operation tells while it runs. It may raise, to break the operation off."""

    def step(self, name: str, total: int | None = None) -> None:
        """Begin a step, of so many units if that is known."""

    def advance(self, count: int = 1) -> None:
        """So many more units of the step are done."""

    def say(self, text: str) -> None:
        """Tell something that is no step."""


class Silent:
    """Tells nobody."""

    def step(self, name: str, total: int | None = None) -> None:
        """Nothing."""

    def advance(self, count: int = 1) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""


class Shown:
    """Shows progress on stderr, as bars when it is a terminal; a context manager."""

    def __init__(self) -> None:
        """Show nothing yet."""
        console = Console(stderr=True)
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._plain = not console.is_terminal
        self._task: TaskID | None = None
        self._name, self._total, self._done, self._told = "", None, 0, 0.0

    _total: int | None

    def __enter__(self) -> Self:
        """Begin to show."""
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """End the bars; a step that was begun and is over is told."""
        self._finish(whole=kind is None)
        self._bars.stop()

    def step(self, name: str, total: int | None = None) -> None:
        """Begin a step."""
        self._finish(whole=True)
        self._name, self._total, self._done = name, total, 0
        self._told = time.monotonic()
        self._task = self._bars.add_task(name, total=total)

    def advance(self, count: int = 1) -> None:
        """Count."""
        self._done += count
        if self._task is not None:
            self._bars.advance(self._task, count)
        if self._plain and time.monotonic() - self._told >= LINE_EVERY_S:
            self._line()

    def say(self, text: str) -> None:
        """Tell."""
        if self._plain:
            sys.stderr.write(f"{text}\n")
        else:
            self._bars.console.print(text, highlight=False, markup=False)

    def _finish(self, *, whole: bool) -> None:
        if self._task is None:
            return
        if whole and self._total is None:
            self._bars.update(self._task, total=self._done, completed=self._done)
        if self._plain:
            self._line()
        self._task = None

    def _line(self) -> None:
        self._told = time.monotonic()
        of = "" if self._total is None else f" of {self._total:,}"
        sys.stderr.write(f"{self._name}: {self._done:,}{of}\n")
