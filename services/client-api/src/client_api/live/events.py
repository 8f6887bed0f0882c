"""What the event stream says, as JSON: the data of each kind of event."""

from datetime import date
from typing import Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict

from client_api.shapes.money import Money, money
from common.clock import date_of
from common.events import ClientScored, EpisodeClosed, EpisodeOpened, ScoreParts

Kind = Literal["score", "episode", "email", "served"]
"""What happens, by the name of its event; ``reset`` and ``cut`` are about the stream itself."""
KINDS: frozenset[Kind] = frozenset(get_args(Kind))


class Told(BaseModel):
    """The base of all event data."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ScoreEvent(ClientScored):
    """``event: score``: the data of the scored event as it is; its days count from 1970-01-01."""


class EpisodeOpenedEvent(Told):
    """``event: episode``: a client fell at risk; the evidence stays with the episode's row."""

    type: Literal["opened"] = "opened"
    episode_id: str
    client_id: int
    generation: int
    policy_version: int
    as_of: AwareDatetime
    last_order_day: date
    crossing_day: date
    cause: Literal["score", "silence"]
    score: float
    entry: float
    value_at_risk: Money
    parts: ScoreParts


class EpisodeClosedEvent(Told):
    """``event: episode``: a silence ended."""

    type: Literal["closed"] = "closed"
    episode_id: str
    client_id: int
    generation: int
    policy_version: int
    as_of: AwareDatetime
    reason: Literal["order", "score", "erased"]


class EmailEvent(Told):
    """``event: email``: an episode's row changed its state; the row is the truth."""

    episode_id: str
    client_id: int
    state: str


class ServedEvent(Told):
    """``event: served``: all scores are as of another day now."""

    as_of: date


class ResetEvent(Told):
    """``event: reset``: events are missing before the next one; read what the page shows again."""

    reason: Literal["slow", "missed", "gone"]


class CutEvent(Told):
    """``event: cut``: the stream ends here; open it again behind the last id."""

    reason: Literal["slow", "missed", "stopping", "expired"]


EVENTS: tuple[type[BaseModel], ...] = (
    ScoreEvent,
    EpisodeOpenedEvent,
    EpisodeClosedEvent,
    EmailEvent,
    ServedEvent,
    ResetEvent,
    CutEvent,
)


def episode_event(
    data: EpisodeOpened | EpisodeClosed, currency: str
) -> EpisodeOpenedEvent | EpisodeClosedEvent:
    """Return what a page is told about an episode."""
    values = data.model_dump()
    if isinstance(data, EpisodeOpened):
        values |= {
            "last_order_day": date_of(data.last_order_day),
            "crossing_day": date_of(data.crossing_day),
            "value_at_risk": money(data.value, currency),
        }
        return EpisodeOpenedEvent.model_validate(values)
    return EpisodeClosedEvent.model_validate(values)
