"""Episodes as callers ask for them and get them: the silence itself, without name or text."""

from datetime import date, datetime
from typing import Literal

from client_api.shapes.answer import Answer
from client_api.shapes.fields import RowId
from client_api.shapes.money import Money
from client_api.shapes.requests import PageQuery
from client_api.shapes.responses import StateChange
from common.episodes import EpisodeState

Outcome = Literal["held_out", "sent", "recovered", "suppressed", "rejected", "failed"]
"""The states in which an episode rests; a person may bring it back from some of them."""


EpisodeSort = Literal["-value", "-created"]
"""The most valuable or the newest first."""


class EpisodesQuery(PageQuery):
    """Which episodes, with or without their emails."""

    state: EpisodeState | None = None
    client_id: RowId | None = None
    sort: EpisodeSort = "-value"


class EpisodeRow(Answer):
    """One silence in which a client fell at risk, in its one state."""

    episode_id: str
    client_id: int
    state: EpisodeState
    reason: str
    actor: str
    until: datetime | None
    """Business time until which a held-back episode waits; ``reason`` says for what."""
    opened_at: datetime
    """Business time of the tick that opened it first."""
    last_order_day: date
    crossing_day: date
    score: float
    """As of the opening; 0 once the client is erased."""
    value_at_risk: Money
    """The client's spend, decayed to the opening: what is worth most is written to first."""
    policy_version: int
    outcome: Outcome | None
    """The state in which it rests; null while somebody has still to do something."""
    closed_at: datetime | None
    """When it came to rest, by the wall clock."""
    ordered_at: datetime | None
    """The client's first counted order since the opening, within the effect's window."""
    created_at: datetime
    updated_at: datetime


class EpisodeDetail(EpisodeRow):
    """An episode with how it came about, and every step of it."""

    cause: Literal["score", "silence"] | None
    """Null once the client is erased."""
    entry: float | None
    """At or below this score the client was at risk."""
    history: list[StateChange]
