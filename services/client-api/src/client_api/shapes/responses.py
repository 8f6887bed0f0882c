"""What callers get back: the shapes that the OpenAPI document promises to the dashboard."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar

from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from client_api.shapes.answer import Answer
from client_api.shapes.money import Money
from client_api.shapes.requests import OrderStatus
from common.episodes import EpisodeState
from common.policy import ShopPolicy
from common.score.model import State

T = TypeVar("T")


class Page(Answer, Generic[T]):
    """One page of a list; ``next`` is the cursor of the page after it, null on the last."""

    items: list[T]
    next: str | None


class ScoreRow(Answer):
    """A client's score on the day being served."""

    as_of: date
    score: float | None
    """The chance of an order within the policy's horizon; null without any counted order."""
    state: State
    crossing_day: date | None
    policy_version: int
    merged_version: int
    """The highest row version that the score has seen."""


class ClientRow(Answer):
    """A client as listed, with its score; score null means not scored yet."""

    id: int
    first_name: str
    surname: str | None
    email: str | None
    phone: str | None
    address: str | None
    style_tags: list[str]
    time_zone: str
    consent: bool
    synthetic: bool
    created_at: datetime
    updated_at: datetime
    version: int
    score: ScoreRow | None
    masked: bool = False
    """Whether names, address and phone are hidden: the token lacks ``pii:read``."""


class OrderRow(Answer):
    """An order."""

    id: int
    client_id: int
    ordered_at: datetime
    amount: Decimal
    currency: str
    status: OrderStatus
    category: str
    created_at: datetime
    updated_at: datetime
    version: int


class FeaturesOfScore(Answer):
    """What the score knows of the client's orders; decayed figures are as of the served day."""

    order_days: int
    spend_decayed: Money
    """Exact, not rounded to hundredths."""
    frequency: float
    first_day: date
    last_day: date
    usual_gap_days: float


class PartsOfScore(Answer):
    """What each part contributes to the log-odds."""

    intercept: float
    frequency: float
    value: float
    recency: float


class LiftOfScore(Answer):
    """What lifts a client out of risk: one order on the served day is enough, nothing less is."""

    score_before: float
    score_after: float
    """With an order of the client's usual amount."""
    score_after_least: float
    """With an order of the smallest amount that counts."""
    safe_until: date
    """The last day before the client is at risk again, if nothing follows the usual order."""


class ExplanationOfScore(Answer):
    """Why the score is what it is."""

    parts: PartsOfScore
    total: float
    """The sum of the parts: the score's log-odds."""
    score_after_order: float
    """With one more order on the served day, of the client's usual amount."""
    lift: LiftOfScore | None = None
    """Null for a client who is neither at risk nor lapsed."""


class ClientScore(Answer):
    """A client's score on the served day, recomputed from its features, with why."""

    client_id: int
    as_of: date
    score: float | None
    state: State
    version: int
    """The highest row version merged."""
    merged: list[tuple[str, int]]
    """The newest (entity, version) pairs merged, such as ("order/7", 1234) or ("client", 5)."""
    policy_version: int
    entry: float | None
    exit: float | None
    crossing_day: date | None
    lapse_day: date | None
    episode_id: str | None
    features: FeaturesOfScore | None
    explanation: ExplanationOfScore | None


class BulkError(Answer):
    """Why one line of a bulk load was refused."""

    line: int
    detail: str


class BulkResult(Answer):
    """How a bulk load went; at most 100 errors are named, or some megabytes line by line."""

    accepted: int
    """On a dry run: lines that would have gone in."""
    rejected: int
    unnamed: int
    """How many of the rejected lines are not named."""
    dry_run: bool
    errors: list[BulkError]


class EmailText(Answer):
    """The email that was written for an episode."""

    subject: str
    body: str
    model: str
    provider: str
    generation_id: str
    prompt_version: str
    prompt_hash: str
    draft_hash: str
    sandbox: bool
    created_at: datetime
    written_as_of: datetime | None
    """Business time at which the text became final; null while it waits for a person."""


class EmailRow(Answer):
    """An episode in its one state, with its email once there is one."""

    episode_id: str
    client_id: int
    first_name: str | None
    """Null once the client is erased."""
    state: EpisodeState
    reason: str
    actor: str
    until: datetime | None
    """Business time until which a held-back episode waits; ``reason`` says for what."""
    last_order_day: date
    crossing_day: date
    opened_as_of: datetime
    score: float
    value_at_risk: Money
    """The client's spend, decayed to the opening."""
    policy_version: int
    attempts: int
    created_at: datetime
    updated_at: datetime
    email: EmailText | None
    masked: bool = False
    """Whether name and texts are hidden: the token lacks ``pii:read``."""


class StateChange(Answer):
    """One step of an episode."""

    from_state: EpisodeState | None
    to_state: EpisodeState
    reason: str
    actor: str
    at: datetime


class ModelCall(Answer):
    """One call of the model: what it cost and how it ended."""

    attempt: int
    model: str
    provider: str | None
    generation_id: str | None
    outcome: str
    status_code: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: Money | None
    """What the provider's answer said that it cost; null where it said nothing."""
    latency_ms: int
    sandbox: bool
    at: datetime


class DecisionRow(Answer):
    """A decision, and what came of it once the mailer has applied it."""

    id: int
    episode_id: str
    action: Literal["release", "retry", "approve", "edit", "reject", "resolve", "erase"]
    actor: str
    draft_hash: str | None
    payload: dict[str, Any]
    created_at: datetime
    outcome: Literal["applied", "refused"] | None
    outcome_reason: str | None
    difference: str | None
    """What an edit changed, as a unified diff; null once it was erased."""
    masked: bool = False
    """Whether texts are hidden: the token lacks ``pii:read``."""


class EmailDetail(EmailRow):
    """An episode with all that happened to it."""

    history: list[StateChange]
    calls: list[ModelCall]
    decisions: list[DecisionRow]
    evidence: dict[str, Any]
    """The data of the event that opened the episode."""


class SuppressionRow(Answer):
    """An address that gets no email any more; nobody can read it from its hash."""

    address_hash: str
    """SHA-256 in hex of the address, trimmed and in lower case."""
    reason: str
    actor: str
    created_at: datetime
    masked: bool = False
    """Whether hash and reason are hidden: the token lacks ``pii:read``."""


class PolicyRow(Answer):
    """One version of the shop's rules."""

    version: int
    document: ShopPolicy
    note: str
    created_by: str
    created_at: datetime


class ClientCounts(Answer):
    """Clients in all, by the state of the served day, and how many wait for their first score."""

    total: int
    by_state: dict[State, int]
    unscored: int


class OrderCounts(Answer):
    """Orders in all."""

    total: int


class EpisodeCounts(Answer):
    """Episodes in all and by state; the states always add up to the total."""

    total: int
    by_state: dict[EpisodeState, int]


class EmailCounts(Answer):
    """Emails written in all."""

    total: int


class Stats(Answer):
    """Where the whole shop stands."""

    as_of: date | None
    """The day that was being served; null before the first."""
    counted_at: datetime
    business_now: datetime
    clock_rate: float
    model_sandbox: bool
    clients: ClientCounts
    orders: OrderCounts
    episodes: EpisodeCounts
    emails: EmailCounts


class FieldError(Answer):
    """What is wrong with one field; never its value, which may be personal."""

    field: str
    detail: str


class ProblemDocument(Answer):
    """What went wrong, as RFC 9457 has it."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    type: str
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    errors: list[FieldError] | SkipJsonSchema[None] = None
    """Left out where no field is to blame."""


class Hop(Answer):
    """How far a reader is behind."""

    hop: str
    records: int | None
    """Null where records cannot be counted, as in the log of Postgres."""
    seconds: float | None
    """Age of the oldest record not consumed; null when it could not be asked."""
    exact: bool = True
    """False: ``records`` counts offsets, an upper bound."""
    group: str | None = None
    members: int | None = None
    topics: dict[str, int] | None = None
    active: bool | None = None
    wal_status: str | None = None
    safe_wal_size: int | None = None
    behind_bytes: int | None = None
    kept_bytes: int | None = None


class NewestLetter(Answer):
    """The dead letter that was parked last."""

    reason: str
    detail: str
    parked_at: str | None
    offset: int


class DeadLetterCounts(Answer):
    """The dead letters of one topic."""

    topic: str
    waiting: int
    kept: int
    reasons: dict[str, int]
    """Of those that wait."""
    newest: NewestLetter | None


class DeadLetter(Answer):
    """One parked record, as it came."""

    topic: str
    offset: int
    headers: dict[str, str]
    key: str | None
    value: Any
    """JSON where it is JSON, else text."""
    masked: bool = False
    """Whether all but ids, times and codes is hidden: the token lacks ``pii:read``."""


class DeadLetters(Answer):
    """Dead letters by topic; a page of those that wait of one topic when it was asked for."""

    topics: list[DeadLetterCounts]
    """None behind a cursor: nothing is counted again."""
    letters: list[DeadLetter]
    next: str | None
    """The cursor of the page after it, null on the last."""


class StoredEpisodes(Answer):
    """Episodes by state."""

    total: int
    by_state: dict[str, int]


class ScorerGeneration(Answer):
    """One generation of the scorer."""

    generation: int
    group: str
    state: str
    members: int


class ScorerStatus(Answer):
    """The scorer's generations, and the one whose records are stored."""

    generations: list[ScorerGeneration] | None
    stored_generation: int | None
    last_scored_at: datetime | None


class ConnectorStatus(Answer):
    """The capture of changes."""

    state: str
    task: str
    failure: str | None


class MailerStatus(Answer):
    """Whether the mailer asks its model."""

    paused: bool
    problems: dict[str, str]


class PolicyStatus(Answer):
    """The rules in force."""

    version: int
    created_at: datetime


class SystemStatus(Answer):
    """The whole system; what could not be asked is null, and ``problems`` says why."""

    at: datetime
    hops: list[Hop]
    dead_letters: list[DeadLetterCounts] | None
    episodes: StoredEpisodes | None
    scorer: ScorerStatus
    connector: ConnectorStatus | None
    mailer: MailerStatus | None
    policy: PolicyStatus | None
    problems: list[str]


class BackfillPreview(Answer):
    """What a backfill would do now; nothing was asked for."""

    table: str
    rows: int
    """So many match, and would be read and sent again."""


class ReplayPreview(Answer):
    """What a replay would do now; nothing was sent."""

    client_ids: list[int]
    """Whose rows would be sent: what a replay takes."""
    clients: int
    orders: int
    """Of these clients, as they stand now."""


class OperationRow(Answer):
    """A run that somebody started: how far it is, or how it ended."""

    id: int
    kind: str
    actor: str
    parameters: dict[str, Any]
    state: Literal["running", "done", "failed"]
    step: str
    done: int
    """Units of the present step."""
    total: int | None
    result: dict[str, Any] | None
    error: str | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
