"""The domain events, in the order of the flow: CloudEvents 1.0 in structured JSON.

Days are whole days since 1970-01-01 in the shop's time zone; times are RFC 3339; money is a decimal
string. Events only ever gain optional fields within a version of their type.
"""

from decimal import Decimal
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from common.score.model import State
from common.score.policy import Policy

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Version = Annotated[int, Field(ge=1, le=2**63 - 1)]
Day = int
Amount = Annotated[
    Decimal, Field(max_digits=16, decimal_places=2, allow_inf_nan=False, examples=["29.90"])
]
Probability = Annotated[float, Field(ge=0, le=1)]


class Data(BaseModel):
    """The base of all event data: frozen; unknown fields are let pass, for newer writers."""

    model_config = ConfigDict(frozen=True, extra="ignore")


DataT = TypeVar("DataT", bound=Data)


class Event(BaseModel, Generic[DataT]):
    """The CloudEvents envelope around one kind of data."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    subject: str
    """The client's id, as text."""
    time: AwareDatetime
    """When it happened by the wall clock; business time stands in the data."""
    datacontenttype: Literal["application/json"] = "application/json"
    data: DataT


class Origin(Data):
    """Where a row image came from: for lineage only, never for ordering."""

    topic: str
    partition: int
    offset: int
    lsn: int | None = None


# --- client.events, client.events.backfill -------------------------------------------------------


class ClientChanged(Data):
    """A client's row as it stands at ``version``. Personal columns never leave Postgres."""

    client_id: Id
    version: Version
    origin: Origin | None = None


class OrderChanged(Data):
    """An order's row as it stands at ``version``."""

    client_id: Id
    order_id: Id
    version: Version
    ordered_at: AwareDatetime
    amount: Amount
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    status: str
    origin: Origin | None = None


class OrderRemoved(Data):
    """An order that this client no longer has, as of ``version``."""

    client_id: Id
    order_id: Id
    version: Version
    reason: Literal["deleted", "moved"]
    origin: Origin | None = None


class ClientErased(Data):
    """A client whose every image up to ``version`` is to be forgotten."""

    client_id: Id
    version: Version
    origin: Origin | None = None


# --- scorer.control ------------------------------------------------------------------------------


class Tick(Data):
    """Time as a message: business time first, then how far both lanes reached after that."""

    partition: Annotated[int, Field(ge=0)]
    as_of: AwareDatetime
    live_end: Annotated[int, Field(ge=0)]
    backfill_end: Annotated[int, Field(ge=0)]


class SnapshotState(Data):
    """Whether a snapshot is being read; meanwhile ticks open no episode."""

    active: bool


class PolicyPublished(Data):
    """A version of the policy, for every partition."""

    policy: Policy


class GenerationAnnounced(Data):
    """From here on this generation of the scorer speaks, and every lower one is silent."""

    generation: Annotated[int, Field(ge=1, le=1_000_000)]


# --- client.scores -------------------------------------------------------------------------------


class ScoreFeatures(Data):
    """The features behind a score, decayed to the last counted order-day."""

    frequency: float
    value: float
    n: int
    first_day: Day
    last_day: Day


class ScoreParts(Data):
    """What each part contributes to the log-odds."""

    intercept: float
    frequency: float
    value: float
    recency: float


class ClientScored(Data):
    """A client's score on one day, with all that is needed to recompute it on another."""

    client_id: Id
    generation: int
    version: int
    """The highest row version merged so far."""
    merged: list[tuple[str, int]]
    """The newest (entity, version) pairs merged, such as ("order/7", 1234)."""
    policy_version: int
    as_of: AwareDatetime
    day: Day
    score: Probability | None
    state: State
    features: ScoreFeatures | None
    parts: ScoreParts | None
    entry: Probability | None
    exit: float | None
    crossing_day: Day | None
    lapse_day: Day | None
    episode_id: str | None
    """The open episode, if there is one."""


# --- client.at-risk ------------------------------------------------------------------------------


class EvidenceDay(Data):
    """One counted order-day: its net spend and the (order id, version) pairs behind it."""

    day: Day
    cents: int
    orders: list[tuple[int, int]]


class EpisodeOpened(Data):
    """A client fell at risk: one silence, told once, with the evidence."""

    episode_id: str
    client_id: Id
    generation: int
    policy_version: int
    as_of: AwareDatetime
    """Business time of the tick that opened it."""
    last_order_day: Day
    crossing_day: Day
    cause: Literal["score", "silence"]
    score: Probability
    entry: Probability
    value: float
    """Value at risk: the client's decayed spend as of ``as_of``."""
    parts: ScoreParts
    evidence: list[EvidenceDay]


class EpisodeClosed(Data):
    """A silence that ended: by a counted order, or by late or corrected data."""

    episode_id: str
    client_id: Id
    generation: int
    policy_version: int
    as_of: AwareDatetime
    reason: Literal["order", "score", "erased"]


def episode_id_of(client_id: int, last_order_day: int) -> str:
    """Name an episode from data alone, so that no replay or restart writes twice of one silence."""
    return f"{client_id}-{last_order_day}"


TYPES: dict[str, type[Data]] = {
    "client.changed.v1": ClientChanged,
    "order.changed.v1": OrderChanged,
    "order.removed.v1": OrderRemoved,
    "client.erased.v1": ClientErased,
    "tick.v1": Tick,
    "snapshot.v1": SnapshotState,
    "policy.published.v1": PolicyPublished,
    "generation.announced.v1": GenerationAnnounced,
    "client.scored.v1": ClientScored,
    "episode.opened.v1": EpisodeOpened,
    "episode.closed.v1": EpisodeClosed,
}
"""Every event type and its data, in flow order."""

TYPE_OF: dict[type[Data], str] = {data: name for name, data in TYPES.items()}
