"""Debezium's envelope, read strictly: the raw bytes of one row change become a typed change.

Form: Debezium 3.7, JSON without schemas, ``decimal.handling.mode=string``,
``time.precision.mode=isostring``. Missing fields fail closed, unknown ones are let pass.
"""

import re
from datetime import datetime
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from common.errors import PoisonMessage

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Version = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Millis = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]
Moment = Annotated[datetime, Meta(tz=True)]
"""A time with zone in the years 1 to 9999; what lies outside is poison."""


class Verdicts(dict[str, bool]):
    """Whether a text is of a form: ``verdicts[text]`` looks at what it does not know, and keeps it.

    A pattern in a type would be searched for anew each time, while prices and currencies repeat.
    """

    def __init__(self, pattern: str, remembered: int) -> None:
        """Know nothing yet; never remember more than ``remembered`` texts."""
        super().__init__()
        self._match = re.compile(pattern).fullmatch
        self._remembered = remembered

    def __missing__(self, text: str) -> bool:
        """Look at a text that did not come lately."""
        if len(self) >= self._remembered:
            self.clear()
        found = self[text] = self._match(text) is not None
        return found


AMOUNTS = Verdicts(r"-?[0-9]{1,14}(?:\.[0-9]{1,2})?", 1 << 16)
CURRENCIES = Verdicts(r"[A-Z]{3}", 1024)

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
    traceparent: str | None = None
    """In which trace it was written last."""


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
    traceparent: str | None = None
    """In which trace it was written last."""


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
_ORDERS = msgspec.json.Decoder(OrderChange)
read_order = _ORDERS.decode
"""Reads an order's shape only, for the hot path; ``order_change`` checks the rest."""
_POLICIES = msgspec.json.Decoder(PolicyChange)

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder raises for bytes that are not what they should be."""

OPS = frozenset("crud")

T = TypeVar("T")


def client_change(raw: bytes) -> ClientChange:
    """Read a change of ``clients``; raises PoisonMessage."""
    return _checked(decode(_CLIENTS, raw))


def order_change(raw: bytes) -> OrderChange:
    """Read a change of ``orders``; raises PoisonMessage.

    An update must carry the former image, or a move to another client would go unseen.
    """
    change = _checked(decode(_ORDERS, raw))
    after = change.after
    if after is None or change.op == "d":
        return change
    if change.op == "u" and required(change.before, "before").id != after.id:
        raise PoisonMessage("key_changed", "the id of a row never changes")
    if after.status == UNAVAILABLE:
        raise PoisonMessage("unavailable_value", "the image of the row is not whole: status")
    if not AMOUNTS[after.amount]:
        raise PoisonMessage("unknown_shape", "amount is no decimal of at most two places")
    if not CURRENCIES[after.currency]:
        raise PoisonMessage("unknown_shape", "currency is no three letters")
    return change


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
