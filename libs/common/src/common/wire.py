"""The hot path's way with the lanes: msgspec reads their events.

``common.events`` defines the events and ``common.codec`` is the measure: what is read here is what
``codec.decode`` reads, and whatever the fast reader does not know goes to ``codec.decode`` for its
verdict. So the fast reader may only ever be stricter, never laxer.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from common import codec
from common.errors import PoisonMessage
from common.events import ClientChanged, ClientErased, Data, OrderChanged, OrderRemoved
from common.score.ledger import counts

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Moment = Annotated[datetime, Meta(tz=True)]

TIME_BYTES_MAX = len('"2026-01-01T00:00:00.000000Z"')
"""Beyond microseconds msgspec rounds where pydantic cuts off, so longer texts are not read here."""
AMOUNT_DIGITS = range(3, 17)
AMOUNTS_KEPT = 1 << 16
CURRENCY_LETTERS = 3


class OrderImage(Struct, frozen=True, gc=False):
    """An order's row as it stands at ``version``."""

    client_id: int
    order_id: int
    version: int
    ordered_at: datetime
    cents: int
    """Net amount in hundredths of the order's currency."""
    counts: bool
    """Whether status and amount let the order count, once its day has come."""


class RemovalImage(Struct, frozen=True, gc=False):
    """An order that this client no longer has, as of ``version``."""

    client_id: int
    order_id: int
    version: int


class ClientImage(Struct, frozen=True, gc=False):
    """A client's row as it stands at ``version``."""

    client_id: int
    version: int


class ErasureImage(Struct, frozen=True, gc=False):
    """A client whose every image up to ``version`` is to be forgotten."""

    client_id: int
    version: int


LaneImage = OrderImage | RemovalImage | ClientImage | ErasureImage


class _Origin(Struct, forbid_unknown_fields=True, gc=False):
    topic: str
    partition: int
    offset: int
    lsn: int | None = None


class _Client(Struct, forbid_unknown_fields=True, gc=False):
    client_id: Id
    version: Id
    origin: _Origin | None = None


class _Order(Struct, forbid_unknown_fields=True, gc=False):
    client_id: Id
    order_id: Id
    version: Id
    ordered_at: msgspec.Raw
    amount: str
    currency: str
    status: str
    origin: _Origin | None = None


class _Removal(Struct, forbid_unknown_fields=True, gc=False):
    client_id: Id
    order_id: Id
    version: Id
    reason: Literal["deleted", "moved"]
    origin: _Origin | None = None


class _Event(Struct, tag_field="type", forbid_unknown_fields=True, gc=False):
    id: str
    source: str
    subject: str
    time: Moment
    specversion: Literal["1.0"] = "1.0"
    datacontenttype: Literal["application/json"] = "application/json"


class _ClientChanged(_Event, tag="client.changed.v1", kw_only=True, gc=False):
    data: _Client


class _OrderChanged(_Event, tag="order.changed.v1", kw_only=True, gc=False):
    data: _Order


class _OrderRemoved(_Event, tag="order.removed.v1", kw_only=True, gc=False):
    data: _Removal


class _ClientErased(_Event, tag="client.erased.v1", kw_only=True, gc=False):
    data: _Client


_read = msgspec.json.Decoder(_ClientChanged | _OrderChanged | _OrderRemoved | _ClientErased).decode
_read_moment = msgspec.json.Decoder(Moment).decode


def read_lane(value: bytes) -> LaneImage:
    """Read one event of the lanes.

    Raises PoisonMessage with the reasons of ``codec.decode``, or ``unexpected`` for an event that
    no lane carries.
    """
    # Escapes and bytes beyond ASCII occur in no event of ours; the two parsers need not agree.
    if value.isascii() and b"\\" not in value:
        try:
            event = _read(value)
            if type(event) is _OrderChanged:
                image = _order(event.data)
                if image is not None:
                    return image
            elif type(event) is _OrderRemoved:
                removal = event.data
                return RemovalImage(removal.client_id, removal.order_id, removal.version)
            elif type(event) is _ClientChanged:
                return ClientImage(event.data.client_id, event.data.version)
            elif type(event) is _ClientErased:
                return ErasureImage(event.data.client_id, event.data.version)
        except msgspec.MsgspecError:
            pass  # codec.decode has the last word, and the better one for the dead letter
    return image_of(codec.decode(value).data)


def image_of(data: Data) -> LaneImage:
    """Return the image in a lane event's data; raises PoisonMessage where no lane carries it."""
    match data:
        case OrderChanged():
            cents = cents_of(data.amount)
            return OrderImage(
                data.client_id,
                data.order_id,
                data.version,
                data.ordered_at,
                cents,
                counts(data.status, cents),
            )
        case OrderRemoved():
            return RemovalImage(data.client_id, data.order_id, data.version)
        case ClientChanged():
            return ClientImage(data.client_id, data.version)
        case ClientErased():
            return ErasureImage(data.client_id, data.version)
    raise PoisonMessage("unexpected", f"a lane does not carry {type(data).__name__}")


def cents_of(amount: Decimal) -> int:
    """Return an amount of at most two places in hundredths, exactly."""
    return int(amount.scaleb(2))


def _order(data: _Order) -> OrderImage | None:
    """Return the image of an order in its usual form; None leaves the verdict to the codec."""
    moment, amount, currency = data.ordered_at, data.amount, data.currency
    cents = _AMOUNTS.get(amount)
    if cents is None:
        cents = _cents_of_usual(amount)
    if (
        cents is None
        or len(moment) > TIME_BYTES_MAX
        or not (currency in _CURRENCIES or _is_currency(currency))
    ):
        return None
    return OrderImage(
        data.client_id,
        data.order_id,
        data.version,
        _read_moment(moment),
        cents,
        counts(data.status, cents),
    )


_AMOUNTS: dict[str, int] = {}
"""The cents of amounts met lately: prices come again and again."""
_CURRENCIES: set[str] = set()
"""The currencies met so far: at most 26³."""


def _cents_of_usual(amount: str) -> int | None:
    """Return the cents of an amount with exactly two places; None for any other text."""
    digits = amount[:-3] + amount[-2:]
    unsigned = digits[1:] if digits[:1] == "-" else digits
    if amount[-3:-2] != "." or len(unsigned) not in AMOUNT_DIGITS or not unsigned.isdigit():
        return None
    if len(_AMOUNTS) >= AMOUNTS_KEPT:
        _AMOUNTS.clear()
    _AMOUNTS[amount] = cents = int(digits)
    return cents


def _is_currency(code: str) -> bool:
    """Whether ASCII text is three capital letters; then it is remembered."""
    if len(code) != CURRENCY_LETTERS or not (code.isalpha() and code.isupper()):
        return False
    _CURRENCIES.add(code)
    return True
