"""What callers may send: every field checked here, so that nothing odd reaches the database."""

from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from common.episodes import EpisodeState
from common.events import Amount
from common.policy import ShopPolicy
from common.score.model import State

ID_GIVEN_MAX = 10**15
"""Callers may name ids up to here: the sequence, which moves past them, keeps room to count on, and
every id stays exact in JavaScript's numbers."""


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain NUL characters")
    return text


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _is_a_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("is no known time zone")
    return name


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999 of UTC") from None


GivenId = Annotated[int, Field(ge=1, le=ID_GIVEN_MAX, strict=True)]
RowId = Annotated[int, Field(ge=1, le=2**63 - 1)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_without_nul)]
Surname = Annotated[str, StringConstraints(max_length=100), AfterValidator(_without_nul)]
Email = Annotated[
    str,
    StringConstraints(max_length=320, pattern=r"^[^@\s]+@[^@\s]+$"),
    AfterValidator(_without_nul),
]
Phone = Annotated[str, StringConstraints(max_length=50), AfterValidator(_without_nul)]
Address = Annotated[str, StringConstraints(max_length=500), AfterValidator(_without_nul)]
StyleTag = Annotated[
    str, StringConstraints(min_length=1, max_length=50), AfterValidator(_without_nul)
]
StyleTags = Annotated[list[StyleTag], Field(max_length=20)]
TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_is_a_zone)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Category = Annotated[
    str, StringConstraints(min_length=1, max_length=100), AfterValidator(_without_nul)
]
DraftHash = Annotated[str, StringConstraints(max_length=128), AfterValidator(_without_nul)]
OrderStatus = Literal["placed", "paid", "shipped", "delivered", "cancelled", "refunded"]


class Body(BaseModel):
    """The base of all bodies: frozen; a field that we do not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Patch(Body):
    """The base of partial updates: what is not named stays; null only where a column takes it."""

    nullable: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="after")
    def _null_only_where_allowed(self) -> Self:
        for name in sorted(self.model_fields_set - self.nullable):
            if getattr(self, name) is None:
                raise ValueError(f"{name} must not be null")
        return self

    @property
    def changes(self) -> dict[str, Any]:
        """The fields that the caller named, with their new values."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}


class ClientIn(Body):
    """A new client."""

    id: GivenId | None = None
    """Given by the caller, for loads; the next free one otherwise."""
    first_name: Name
    surname: Surname | None = None
    email: Email | None = None
    phone: Phone | None = None
    address: Address | None = None
    style_tags: StyleTags = []
    time_zone: TimeZone = "UTC"
    consent: bool = True
    synthetic: bool = False


class ClientPatch(Patch):
    """New values for some fields of a client."""

    nullable: ClassVar[frozenset[str]] = frozenset({"surname", "email", "phone", "address"})

    first_name: Name | SkipJsonSchema[None] = None
    surname: Surname | None = None
    email: Email | None = None
    phone: Phone | None = None
    address: Address | None = None
    style_tags: StyleTags | SkipJsonSchema[None] = None
    time_zone: TimeZone | SkipJsonSchema[None] = None
    consent: bool | SkipJsonSchema[None] = None
    synthetic: bool | SkipJsonSchema[None] = None


class OrderIn(Body):
    """A new order."""

    id: GivenId | None = None
    """Given by the caller, for loads; the next free one otherwise."""
    client_id: Annotated[int, Field(ge=1, le=2**63 - 1, strict=True)]
    ordered_at: Moment | None = None
    """Now by the business clock when left out."""
    amount: Amount
    currency: Currency = "USD"
    status: OrderStatus = "placed"
    category: Category = "general"


class OrderPatch(Patch):
    """New values for some fields of an order; another client_id moves it."""

    client_id: Annotated[int, Field(ge=1, le=2**63 - 1, strict=True)] | SkipJsonSchema[None] = None
    ordered_at: Moment | SkipJsonSchema[None] = None
    amount: Amount | SkipJsonSchema[None] = None
    currency: Currency | SkipJsonSchema[None] = None
    status: OrderStatus | SkipJsonSchema[None] = None
    category: Category | SkipJsonSchema[None] = None


class Wording(Body):
    """A person's wording of a draft; the mailer holds it to the limits of an email."""

    subject: Annotated[
        str, StringConstraints(min_length=1, max_length=200), AfterValidator(_without_nul)
    ]
    body: Annotated[
        str, StringConstraints(min_length=1, max_length=10_000), AfterValidator(_without_nul)
    ]


class Resolution(Body):
    """Whether an email went out of which nobody knew."""

    sent: StrictBool


class NoPayload(Body):
    """Nothing: the action says it all."""


class DecisionIn(Body):
    """A person's decision about one episode; the mailer applies it.

    An edit carries a wording, and a resolution whether the email was sent.
    """

    episode_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}-[0-9-]{1,12}$")]
    action: Literal["release", "retry", "approve", "edit", "reject", "resolve"]
    actor: Annotated[
        str, StringConstraints(min_length=1, max_length=200), AfterValidator(_without_nul)
    ]
    draft_hash: DraftHash | None = None
    """The draft that was looked at; one that no longer fits is refused."""
    payload: Wording | Resolution | NoPayload = NoPayload()

    @model_validator(mode="after")
    def _carries_what_it_needs(self) -> Self:
        needs: dict[str, type[Body]] = {"edit": Wording, "resolve": Resolution}
        if type(self.payload) is not needs.get(self.action, NoPayload):
            raise ValueError(f"the payload does not fit the action {self.action}")
        return self


class PolicyIn(Body):
    """A new version of the shop's rules; it replaces the one in force as a whole."""

    document: ShopPolicy
    """Its version is given here: whatever the document says is replaced. Without ``emails`` their
    rules stay as they are."""
    note: Annotated[str, StringConstraints(max_length=500), AfterValidator(_without_nul)] = ""
    created_by: Annotated[
        str, StringConstraints(min_length=1, max_length=200), AfterValidator(_without_nul)
    ]


Actor = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(_without_nul)
]


class SuppressionIn(Body):
    """An address that shall get no email any more."""

    address: Email
    reason: Annotated[
        str, StringConstraints(min_length=1, max_length=500), AfterValidator(_without_nul)
    ]
    actor: Actor


class DeadLetterReplayIn(Body):
    """Which dead letters to make up for."""

    topic: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    """The topic that they were read from."""
    offset: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    """One letter alone; all that wait without."""
    actor: Actor


class ReplayIn(Body):
    """Which clients to send once more."""

    client_ids: Annotated[list[RowId], Field(min_length=1, max_length=10_000)]
    actor: Actor


class BackfillIn(Body):
    """Which rows to have captured once more."""

    table: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    where: (
        Annotated[
            str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_without_nul)
        ]
        | None
    ) = None
    """SQL over captured columns; the whole table without."""
    actor: Actor


class PageQuery(BaseModel):
    """Which part of a list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, StringConstraints(max_length=400)] | None = None


Search = Annotated[
    str, StringConstraints(min_length=1, max_length=100), AfterValidator(_without_nul)
]


class ClientsQuery(PageQuery):
    """Which clients, in which order; clients without a score come last under either score sort."""

    state: State | None = None
    search: Search | None = None
    """The beginning of the first name or surname, whatever the case, or an id."""
    sort: Literal["id", "-id", "score", "-score"] = "id"


class OrdersQuery(PageQuery):
    """Which orders, newest first."""

    client_id: RowId | None = None


class EmailsQuery(PageQuery):
    """Which episodes, the most valuable or the newest first."""

    state: EpisodeState | None = None
    client_id: RowId | None = None
    sort: Literal["-value", "-created"] = "-value"
