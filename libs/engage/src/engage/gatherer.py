"""Collects what can be asked; what cannot be is named, never zero."""

from collections.abc import Callable
from typing import TypeVar

from common.errors import Misconfigured, Transient

T = TypeVar("T")


class Gatherer:
    """Collects parts of an answer; what fails becomes a problem and null."""

    def __init__(self) -> None:
        """Begin without problems."""
        self.problems: list[str] = []

    def part(self, name: str, ask: Callable[[], T]) -> T | None:
        """Return what ``ask`` says, or None and a problem."""
        try:
            return ask()
        except (Misconfigured, Transient) as error:
            self.problems.append(f"{name}: {error}")
            return None

    def note(self, problem: str | None) -> None:
        """Take note of a problem, if it is one."""
        if problem is not None:
            self.problems.append(problem)
