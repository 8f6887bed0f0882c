"""What callers get back who ask for an account: of the ledger, the effect, a client, an email."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from client_api.shapes.answer import Answer
from client_api.shapes.money import Money
from client_api.shapes.responses import (
    DecisionRow,
    EmailRow,
    ModelCall,
    PartsOfScore,
    PolicyRow,
    StateChange,
)
from common.episodes import EpisodeState


class LedgerBooks(Answer):
    """Whether every episode is accounted for: begun once, and in the state its history leads to."""

    balanced: bool
    total: int
    begun: int
    """Episodes begun, counted from the beginnings in the history."""
    by_state: dict[EpisodeState, int]
    by_history: dict[EpisodeState, int]
    """How many episodes the history brought into each state, less those it took away."""
    mismatched: int | None
    """Episodes in another state than their own history ends in; null unless asked for."""


class Rate(Answer):
    """A share of clients, with its 95 % interval."""

    value: float
    low: float
    high: float


class EffectArm(Answer):
    """One arm: clients by the draw of their first episode, whatever became of it."""

    clients: int
    ordered: int | None
    """Clients with a counted order within the window; null while there are too few clients."""
    rate: Rate | None


class PointsApart(Answer):
    """How many points the rate of those who were not held out is above the others'."""

    points: float
    low: float
    high: float


class Effect(Answer):
    """What writing to clients did, against those held out; no figure while there are too few."""

    enough: bool
    needed_per_arm: int
    """Clients that each arm needs to find ``smallest_points`` with this power and level."""
    smallest_points: float
    power: float
    level: float
    as_of: datetime
    """Business time: only episodes are counted whose window had ended."""
    window_days: int
    """An order within so many days of the episode's opening counts (policy, effect_days)."""
    waiting: int
    """Clients whose window has not ended yet."""
    held_out: EffectArm
    not_held_out: EffectArm
    difference: PointsApart | None


Row = dict[str, Any]
"""A row as Postgres writes it in JSON: every column under its own name."""


class PlaceOfData(Answer):
    """One place that holds something about clients."""

    place: str
    holds: str
    derived: bool
    """Whether it holds copies of the rows in this document, or what follows from them, alone."""


class ClientExport(Answer):
    """Everything that is kept about one client; ``client`` is null once it is erased."""

    client_id: int
    exported_at: datetime
    places: list[PlaceOfData]
    client: Row | None
    orders: list[Row]
    score_features: list[Row]
    scores: list[Row]
    episodes: list[Row]
    episode_history: list[Row]
    emails: list[Row]
    model_calls: list[Row]
    decisions: list[Row]
    decision_outcomes: list[Row]
    deliveries: list[Row]
    suppressions: list[Row]
    audit: list[Row]
    idempotency_keys: list[Row]
    operations: list[Row]


class RecordPlace(Answer):
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


Fate = Literal["kept", "superseded", "removed", "missing"]
"""Whether an image is still on a lane; compaction leaves the newest image of an order alone."""


class TracedOrder(Answer):
    """One order of the evidence, and its image on the way from Postgres to the scorer."""

    order_id: int
    version: int
    """The image that was counted."""
    image: Fate
    newest_version: int | None
    """The newest image on the lanes; null when there is none."""
    ordered_at: datetime | None
    amount: Decimal | None
    currency: str | None
    status: str | None
    lsn: int | None
    """Where in the log of Postgres the row was changed."""
    raw: RecordPlace | None
    """Its record as Debezium wrote it."""
    event: RecordPlace | None
    """Its event, as the relay wrote it and the scorer read it."""


class TracedDay(Answer):
    """One counted order-day of the evidence."""

    day: date
    amount: Money
    """Net, of all its orders that counted, as the score took it."""
    orders: list[TracedOrder]


class ScoreOfEpisode(Answer):
    """The score that opened the episode: a function of the evidence, the day and the policy."""

    as_of: datetime
    day: date
    """The shop's day of ``as_of``."""
    score: float
    entry: float
    parts: PartsOfScore
    cause: Literal["score", "silence"]
    value_at_risk: Money
    """Exact, not rounded to hundredths."""
    last_order_day: date
    crossing_day: date
    generation: int


class Checks(Answer):
    """What the texts were checked for."""

    passed: list[str]
    """The rules that the stored text passed, as the model wrote it."""
    broken: list[str]
    """The rules that each text broke which could not be used, oldest first."""


class Delivery(Answer):
    """One attempt to send the email."""

    message_id: str
    outcome: str
    status_code: int | None
    began_at: datetime
    ended_at: datetime | None


class Lineage(Answer):
    """Where an email came from, step by step, and what was written back."""

    email: EmailRow
    facts_used: list[str]
    written_as_of: datetime | None
    """Business time at which the text became final."""
    erased: bool
    """Whether the evidence is gone with the client; then it is empty and the score null."""
    evidence: list[TracedDay]
    score: ScoreOfEpisode | None
    policy: PolicyRow
    calls: list[ModelCall]
    checks: Checks
    decisions: list[DecisionRow]
    deliveries: list[Delivery]
    history: list[StateChange]
    """What was written back: every state, with its reason, actor and time."""
