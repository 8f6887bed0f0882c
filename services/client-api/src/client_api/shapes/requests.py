"""What callers may send: every field checked here, so that nothing odd reaches the database."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

import orjson
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import CoreSchema, core_schema

from client_api.shapes import strict_json
from client_api.shapes.fields import (
    Address,
    Amount,
    Category,
    Currency,
    Cursor,
    DraftHash,
    Email,
    GivenId,
    Moment,
    Name,
    NulFree,
    Phone,
    Reason,
    RowId,
    SaysNulFree,
    Search,
    StyleTags,
    Surname,
    TimeZone,
)
from common.emails import EDITED_BODY_CHARS, SUBJECT_CHARS
from common.policy import ShopPolicy
from common.score.model import State

OrderStatus = Literal["placed", "paid", "shipped", "delivered", "cancelled", "refunded"]


class Body(BaseModel):
    """The base of all bodies: frozen; a field that we do not know is refused.

    Read as strictly as JSON Schema has it: ``"1"`` and ``true`` are no numbers, 1 is not true.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )


BodyT = TypeVar("BodyT", bound=Body)


class _FromJson:
    """Reads what FastAPI has parsed as JSON once more: only so are texts taken for moments."""

    def __get_pydantic_core_schema__(
        self, source: type[Body], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def read(value: Any, inner: core_schema.ValidatorFunctionWrapHandler) -> Any:
            if not isinstance(value, dict):
                return inner(value)
            try:
                raw = orjson.dumps(value)
            except orjson.JSONEncodeError as error:
                raise ValueError("is nested too deeply") from error
            return strict_json.read(source, raw)

        return core_schema.no_info_wrap_validator_function(read, handler(source))


Strict = Annotated[BodyT, _FromJson()]
"""A body in a route's parameters."""


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
    client_id: RowId
    ordered_at: Moment | None = None
    """Now by the business clock when left out."""
    amount: Amount
    currency: Currency | None = None
    """The shop's when left out."""
    status: OrderStatus = "placed"
    category: Category = "general"


class OrderPatch(Patch):
    """New values for some fields of an order; another client_id moves it."""

    client_id: RowId | SkipJsonSchema[None] = None
    ordered_at: Moment | SkipJsonSchema[None] = None
    amount: Amount | SkipJsonSchema[None] = None
    currency: Currency | SkipJsonSchema[None] = None
    status: OrderStatus | SkipJsonSchema[None] = None
    category: Category | SkipJsonSchema[None] = None


class Wording(Body):
    """A person's wording of a draft, in the bounds to which the mailer holds it."""

    subject: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, min_length=SUBJECT_CHARS[0], max_length=SUBJECT_CHARS[1]
        ),
        NulFree,
        SaysNulFree,
    ]
    body: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, min_length=EDITED_BODY_CHARS[0], max_length=EDITED_BODY_CHARS[1]
        ),
        NulFree,
        SaysNulFree,
    ]


class Resolution(Body):
    """Whether an email went out of which nobody knew."""

    sent: bool


class Rejection(Body):
    """Why a person rejects a draft, in their own words; erased with the client's texts."""

    reason: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
        NulFree,
        Field(json_schema_extra={"pattern": "^[^\\u0000]*[^\\u0000\\s][^\\u0000]*$"}),
    ]


class NoPayload(Body):
    """Nothing: the action says it all."""


class DecisionIn(Body):
    """A person's decision about one episode; the mailer applies it.

    An edit carries a wording, and a resolution whether the email was sent; a rejection may carry
    its reason.
    """

    episode_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}-[0-9-]{1,12}$")]
    action: Literal["release", "retry", "approve", "edit", "reject", "resolve"]
    draft_hash: DraftHash | None = None
    """The draft that was looked at; one that no longer fits is refused."""
    payload: Wording | Resolution | Rejection | NoPayload = NoPayload.model_construct()

    @model_validator(mode="after")
    def _carries_what_it_needs(self) -> Self:
        fits: dict[str, tuple[type[Body], ...]] = {
            "edit": (Wording,),
            "resolve": (Resolution,),
            "reject": (Rejection, NoPayload),
        }
        if type(self.payload) not in fits.get(self.action, (NoPayload,)):
            raise ValueError(f"the payload does not fit the action {self.action}")
        return self


class PolicyIn(Body):
    """A new version of the shop's rules; it replaces the one in force as a whole."""

    document: ShopPolicy
    """Its version is given here: whatever the document says is replaced. Without ``emails`` their
    rules stay as they are."""
    note: Annotated[str, StringConstraints(max_length=500), NulFree, SaysNulFree] = ""


class SuppressionIn(Body):
    """An address that shall get no email any more."""

    address: Email
    reason: Reason


class DeadLetterReplayIn(Body):
    """Which dead letters to make up for."""

    topic: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    """The topic that they were read from."""
    offset: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    """One letter alone; all that wait without."""


class ReplayIn(Body):
    """Which clients to send once more."""

    client_ids: Annotated[list[RowId], Field(min_length=1, max_length=10_000)]


class ReplayPreviewIn(Body):
    """Whose replay to count: clients by id, or those with an order in a time; one of the two."""

    client_ids: Annotated[list[RowId], Field(min_length=1, max_length=10_000)] | None = None
    ordered_from: Moment | None = None
    ordered_before: Moment | None = None
    """Not included."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        times = (self.ordered_from, self.ordered_before)
        if (self.client_ids is None) == (None in times) or times.count(None) == 1:
            raise ValueError("either client_ids, or ordered_from and ordered_before")
        return self

    @property
    def ordered(self) -> tuple[datetime, datetime] | None:
        """The time in which somebody ordered, if that is how clients are chosen."""
        begin, end = self.ordered_from, self.ordered_before
        return None if begin is None or end is None else (begin, end)


class BackfillIn(Body):
    """Which rows to have captured once more."""

    table: Literal["clients", "orders"]
    where: (
        Annotated[
            str,
            StringConstraints(min_length=1, max_length=1800),
            Field(json_schema_extra={"format": "sql-condition"}),
        ]
        | None
    ) = None
    """SQL over captured columns; the whole table without."""


RunKind = Literal["backfill", "replay", "dead-letter-replay", "what-if", "erasure"]


class PageQuery(BaseModel):
    """Which part of a list."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Cursor | None = None
    """The `next` of the page before, with the same filters and sort."""


class OperationsQuery(PageQuery):
    """Which runs, the latest first."""

    kind: RunKind | None = None


class DeadLettersQuery(PageQuery):
    """Which dead letters, the oldest first."""

    topic: Annotated[str, StringConstraints(max_length=100)] | None = None
    """The topic that they were read from; without one, letters are counted and not listed."""


class Filter(BaseModel):
    """Which rows of a whole list."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ClientsFilter(Filter):
    """Which clients."""

    state: State | None = None


class OrdersFilter(Filter):
    """Which orders."""

    client_id: RowId | None = None


class ClientsQuery(PageQuery):
    """Which clients, in which order; clients without a score come last under either score sort."""

    state: State | None = None
    search: Search | None = None
    """The beginning of the first name or surname, whatever the case, or an id."""
    sort: Literal["id", "-id", "score", "-score"] = "id"


class OrdersQuery(PageQuery):
    """Which orders, newest first."""

    client_id: RowId | None = None
