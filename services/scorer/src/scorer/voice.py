"""Pure: whether this worker's generation speaks for a partition, and what it still has to tell.

A new generation of the scorer reads both lanes from their start, silently: it keeps its rows and
tells nothing. Which generation speaks is announced in every partition of ``scorer.control``; before
any announcement it is the first. The one that begins to speak tells every client's score once.
"""

import msgspec

FIRST = 1
GENERATION_KEY = b"!generation"


class _Stored(msgspec.Struct):
    current: int
    told: bool


class Voice:
    """One partition's announced generation, beside this worker's own."""

    def __init__(self, own: int, stored: bytes | None = None) -> None:
        """``stored`` is what ``row`` returned; None: nothing was ever announced."""
        known = (
            _Stored(FIRST, told=True)
            if stored is None
            else msgspec.json.decode(stored, type=_Stored)
        )
        self.own = own
        self.current = known.current
        self.told = known.told
        """Whether every client's score was told by this generation."""

    def hear(self, announced: int) -> bool:
        """Take note of an announcement; return whether it is news. Lower ones are outdated."""
        if announced <= self.current:
            return False
        self.current = announced
        self.told = announced != self.own
        return True

    @property
    def speaks(self) -> bool:
        """Whether what happens in this partition is told by this worker."""
        return self.own == self.current

    @property
    def superseded(self) -> bool:
        """Whether a later generation speaks: this one never will again."""
        return self.own < self.current

    def row(self) -> bytes:
        """Return the row from which this is restored."""
        return msgspec.json.encode(_Stored(self.current, self.told))
