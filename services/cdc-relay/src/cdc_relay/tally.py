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
        young = self._young
        before = len(young)
        again = 0 if self._old.isdisjoint(facts) else len(self._old.intersection(facts) - young)
        young.update(facts)
        fresh = len(young) - before - again
        if len(young) >= self._remembered:
            self._old, self._young = young, set()
        return len(facts) - fresh


@dataclass
class Tally:
    """Counters since the start. ``behind_ms``: age of a batch's oldest change when committed."""

    read: int = 0
    written: int = 0
    parked: int = 0
    duplicates: int = 0
    transactions: int = 0
    aborted: int = 0
    waited_ms: int = 0
    behind_ms: int = 0
