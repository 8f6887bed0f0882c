"""What the relay counts, and says in its log from time to time."""

from dataclasses import dataclass

REMEMBERED = 50_000
"""Event ids per generation: two generations are remembered, so at most twice as many."""


class Duplicates:
    """Counts facts that come again, as far as a bounded memory reaches. It filters nothing.

    The relay keeps no state: duplicates pass, and merging downstream makes them harmless. This
    only makes them visible.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        """Remember at least the last ``remembered`` facts."""
        self._remembered = remembered
        self._young: set[str] = set()
        self._old: set[str] = set()

    def count(self, facts: list[str]) -> int:
        """Return how many of these event ids came before, and remember them all."""
        fresh = set(facts) - self._young - self._old
        self._young |= fresh
        if len(self._young) >= self._remembered:
            self._old, self._young = self._young, set()
        return len(facts) - len(fresh)


@dataclass
class Tally:
    """Counters since the start. ``behind_ms``: age of the newest change when it was committed."""

    read: int = 0
    written: int = 0
    parked: int = 0
    duplicates: int = 0
    transactions: int = 0
    aborted: int = 0
    waited_ms: int = 0
    behind_ms: int = 0
