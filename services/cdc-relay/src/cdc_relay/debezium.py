"""Debezium's envelope, read strictly: the raw bytes of one row change become a typed change.

Form: Debezium 3.7, JSON without schemas, ``decimal.handling.mode=string``,
``time.precision.mode=isostring``. Missing fields fail closed, unknown ones are let pass.
"""

import re
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from common.errors import PoisonMessage

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Version = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Millis = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]
Moment = Annotated[datetime, Meta(tz=True)]
"""A time with zone in the years 1 to 9999; what lies outside is poison."""

_amount = re.compile(r"-?[0-9]{1,14}(?:\.[0-9]{1,2})?").fullmatch
_currency = re.compile(r"[A-Z]{3}").fullmatch

UNAVAILABLE = "__debezium_unavailable_value"
"""What Debezium writes for a large value that an update left alone and the log does not repeat.
With REPLICA IDENTITY FULL it never occurs; where it does, the row image is not whole."""


class Source(Struct, frozen=True, gc=False):
    """Where a change came from; ``ts_ms`` is the commit's wall time, or the snapshot's."""

    ts_ms: Millis
    lsn: int | None = None


class ClientRow(Struct, frozen=True, gc=False):
    """The captured columns of a client: nothing personal."""

    id: Id
    version: Version


class OrderRef(Struct, frozen=True, gc=False):
    """What a removal needs of an order's former image."""

    id: Id
    client_id: Id
    version: Version


class OrderRow(Struct, frozen=True, gc=False):
    """The captured columns of an order."""

    id: Id
    client_id: Id
    version: Version
    ordered_at: Moment
    amount: str
    currency: str
    status: str


class PolicyRef(Struct, frozen=True, gc=False):
    """What names a policy in its former image."""

    id: Id


class PolicyRow(Struct, frozen=True, gc=False):
    """The captured columns of a policy; ``document`` is JSON as text."""

    id: Id
    version: Version
    document: str


Before = TypeVar("Before")
After = TypeVar("After")


class Change(Struct, Generic[Before, After], frozen=True, gc=False):
    """One row change: op is c (insert), r (read by a snapshot), u (update) or d (delete)."""

    op: str
    source: Source
    before: Before | None = None
    after: After | None = None


ClientChange = Change[ClientRow, ClientRow]
OrderChange = Change[OrderRef, OrderRow]
PolicyChange = Change[PolicyRef, PolicyRow]

_CLIENTS = msgspec.json.Decoder(ClientChange)
_read_order = msgspec.json.Decoder(OrderChange).decode
_POLICIES = msgspec.json.Decoder(PolicyChange)

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder raises for bytes that are not what they should be."""

OPS = frozenset("crud")
PRESENT = frozenset("cru")
"""Those after which the row is there."""

T = TypeVar("T")


def client_change(raw: bytes) -> ClientChange:
    """Read a change of ``clients``; raises PoisonMessage."""
    return _checked(decode(_CLIENTS, raw))


def order_change(raw: bytes) -> OrderChange:
    """Read a change of ``orders``; raises PoisonMessage.

    An update must carry the former image, or a move to another client would go unseen.
    """
    try:
        change = _read_order(raw)
    except UNREADABLE as error:
        raise _poison(error) from None
    op, after = change.op, change.after
    if after is None or op not in PRESENT:
        return _checked(change)
    if op == "u" and required(change.before, "before").id != after.id:
        raise PoisonMessage("key_changed", "the id of a row never changes")
    if after.status == UNAVAILABLE:
        raise PoisonMessage("unavailable_value", "the image of the row is not whole: status")
    # A pattern in the type would be searched for anew each time.
    if not _is_amount(after.amount):
        raise PoisonMessage("unknown_shape", "amount is no decimal of at most two places")
    if not _is_currency(after.currency):
        raise PoisonMessage("unknown_shape", "currency is no three letters")
    return change


@lru_cache(maxsize=1 << 16)  # prices come again
def _is_amount(text: str) -> bool:
    return _amount(text) is not None


@lru_cache(maxsize=1024)  # a shop has few
def _is_currency(text: str) -> bool:
    return _currency(text) is not None


def policy_change(raw: bytes) -> PolicyChange:
    """Read a change of ``policies``; raises PoisonMessage."""
    change = _checked(decode(_POLICIES, raw))
    if change.after is not None and change.after.document == UNAVAILABLE:
        raise PoisonMessage("unavailable_value", "the image of the row is not whole: document")
    return change


def required(value: T | None, name: str) -> T:
    """Return the image called ``name``, or raise PoisonMessage when it is not there."""
    if value is None:
        raise PoisonMessage("unknown_shape", f"the change has no image {name!r}")
    return value


def decode(decoder: msgspec.json.Decoder[T], raw: bytes) -> T:
    """Read JSON of a known shape; raises PoisonMessage, which never repeats the input."""
    try:
        return decoder.decode(raw)
    except UNREADABLE as error:
        raise _poison(error) from None


def _poison(error: Exception) -> PoisonMessage:
    """Return what is wrong with bytes that could not be read, without repeating any of them."""
    if isinstance(error, msgspec.ValidationError):
        return PoisonMessage("unknown_shape", str(error))
    if isinstance(error, RecursionError):
        return PoisonMessage("not_json", "nested too deeply")
    return PoisonMessage("not_json", type(error).__name__)


def _checked(change: Change[Before, After]) -> Change[Before, After]:
    """Check that the op is known and its image there.

    Truncation (``t``) is granted to nobody and not published: where it turns up, a person looks.
    """
    if change.op not in OPS:
        raise PoisonMessage("unknown_op", "op is none of c, r, u, d")
    if change.op == "d":
        required(change.before, "before")
    else:
        required(change.after, "after")
    return change
