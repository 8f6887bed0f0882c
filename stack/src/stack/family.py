"""All children of one run, so that they can be ended together and none slips through."""

import threading
from collections.abc import Callable
from typing import Protocol


class Member(Protocol):
    """A child."""

    name: str

    def kill(self) -> None:
        """End it, as kill -9 does."""


class Closing(Exception):
    """A child was not started because its family is being ended."""


class Family:
    """All children of one run: none starts once the end has begun, and none is left after it."""

    def __init__(self) -> None:
        """Begin without children."""
        self._lock = threading.Lock()
        self._members: list[Member] = []
        self._closing = False

    def admit(self, member: Member, start: Callable[[], None]) -> None:
        """Start a child as a member; raises Closing when the end has begun."""
        with self._lock:
            if self._closing:
                raise Closing(member.name)
            start()
            if member not in self._members:
                self._members.append(member)

    @property
    def closing(self) -> bool:
        """Whether the end has begun."""
        return self._closing

    def close(self) -> None:
        """Let no further child start."""
        with self._lock:
            self._closing = True

    def end(self) -> None:
        """Let no further child start, and kill those that run."""
        self.close()
        for member in self._members:
            member.kill()
