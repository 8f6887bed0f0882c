"""How a list of episodes goes, with or without their emails: filters, sort, where it goes on."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from client_api.shapes.episodes import EpisodeSort
from client_api.store.reads import Values


class Sort(NamedTuple):
    """What a list is sorted by, falling, and the type of that column."""

    column: str
    type: str


SORTS: Mapping[EpisodeSort, Sort] = {
    "-value": Sort("value_at_risk", "float8"),
    "-created": Sort("created_at", "timestamptz"),
}


class EpisodePage(NamedTuple):
    """Which episodes of the list are wanted."""

    sort: EpisodeSort
    after: tuple[float | datetime, str] | None
    """Sort key and id of the last row that was shown."""
    state: str | None
    client_id: int | None
    limit: int

    @property
    def order(self) -> str:
        """What a statement about episodes ``e`` is ordered by."""
        return f"ORDER BY e.{SORTS[self.sort].column} DESC, e.id DESC"

    def where(self, values: Values) -> str:
        """Return the condition on episodes ``e``; ``values`` takes what it compares with."""
        met = ["true"]
        if self.state is not None:
            met.append(f"e.state = {values.place(self.state)}")
        if self.client_id is not None:
            met.append(f"e.client_id = {values.place(self.client_id)}")
        if self.after is not None:
            column, kind = SORTS[self.sort]
            key, episode = (values.place(part) for part in self.after)
            met.append(f"(e.{column}, e.id) < ({key}::{kind}, {episode})")
        return " AND ".join(met)
