"""What one batch has to tell and to write, by partition, and which events it settles."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from common.tracing import Span
from scorer.rows import Row
from scorer.writer import Letter


@dataclass
class Page:
    """A sheet's part for one partition: settled in one transaction."""

    letters: list[Letter] = field(default_factory=list)
    rows: dict[bytes, bytes | None] = field(default_factory=dict)
    """What is to be stored; None deletes."""


@dataclass
class Sheet:
    """One batch, closed: nothing in it changes any more."""

    pages: dict[int, Page] = field(default_factory=dict)
    touched: dict[int, dict[int, Row]] = field(default_factory=dict)
    """The decoded rows, by partition and client, for whoever needs them before they are stored."""
    events: list[Any] = field(default_factory=list)
    """What is to be acknowledged when all of it is durable."""
    records: Counter[str] = field(default_factory=Counter)
    """How many records of each topic it is about."""
    oldest_ms: int | None = None
    """When the oldest of them that came by a lane was written there."""
    told: Counter[str] = field(default_factory=Counter)
    """How many outcomes of each kind it tells."""
    parked: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Records put aside, by topic and reason."""
    spans: list[Span] = field(default_factory=list)
    """Of records that go on with a trace."""

    def page(self, partition: int) -> Page:
        """Return the page of a partition."""
        found = self.pages.get(partition)
        if found is None:
            found = self.pages[partition] = Page()
        return found
