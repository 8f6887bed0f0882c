"""Where the whole shop stands, as callers get it: today, day by day, and hop by hop."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from client_api.shapes.answer import Answer
from client_api.shapes.money import Money
from client_api.shapes.reports import PointsApart
from common.episodes import EpisodeState
from common.score.model import State

HISTORY_DAYS_MAX = 1_100


class HistoryQuery(BaseModel):
    """How many days back from the served one."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    days: Annotated[int, Field(ge=1, le=HISTORY_DAYS_MAX)] = 90


class EffectInShort(Answer):
    """What writing did against the holdout; `/api/effect` tells it in full."""

    enough: bool
    needed_per_arm: int
    window_days: int
    held_out: int
    """Clients whose window has ended, by arm."""
    not_held_out: int
    waiting: int
    difference: PointsApart | None
    """Null while there are too few clients."""


class PipelineHop(Answer):
    """How far one reader is behind."""

    name: str
    lag_records: int | None
    """Null where records cannot be counted, or nobody could be asked; ``reason`` says which."""
    lag_s: float | None
    """Age of the oldest record not consumed."""
    lag_bytes: int | None
    """Log of Postgres not yet read: of the first hop alone."""
    exact: bool
    """False: ``lag_records`` counts offsets, an upper bound."""
    reason: str | None
    """What a person should know: why a figure is null, or that nobody reads."""


class LettersOfTopic(Answer):
    """Dead letters of one topic that wait for a person."""

    topic: str
    waiting: int


class Pipeline(Answer):
    """How the records flow, asked a few seconds ago at most; what could not be asked is null."""

    asked_at: datetime | None
    hops: list[PipelineHop]
    """In the order of the flow."""
    dead_letters: list[LettersOfTopic] | None
    problems: list[str]


class Figures(Answer):
    """The shop's figures on one day, as they were last counted on it."""

    as_of: date
    """The day that was being served."""
    counted_at: datetime
    clients_by_state: dict[State, int]
    unscored: int
    """Clients who wait for their first score."""
    at_risk_value: Money
    """Sum over clients at risk of their spend, decayed to the day: the measure by which emails are
    put in order."""
    emails_by_state: dict[EpisodeState, int]
    recovered_value: Money
    """Counted orders after an email's text was final, within the effect's window. It is not what
    the emails brought about: that is the effect, against those held out."""
    recovered_clients: int


class Overview(Answer):
    """Where the shop stands; the figures are null until the first day is counted."""

    as_of: date | None
    counted_at: datetime | None
    clients_by_state: dict[State, int] | None
    unscored: int | None
    at_risk_value: Money | None
    emails_by_state: dict[EpisodeState, int] | None
    recovered_value: Money | None
    recovered_clients: int | None
    effect: EffectInShort | None
    pipeline: Pipeline


class OverviewHistory(Answer):
    """The figures of each day that was served, oldest first; days that were skipped are missing."""

    days: list[Figures]
