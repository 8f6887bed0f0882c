"""Which column of a file is which: by name, never by content."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from common.errors import Misconfigured

CLIENT_NAMES = (
    "client clientid client_no customer customerid custid customerno customernumber"
    " customeruniqueid user userid member memberid buyer buyerid account accountid householdkey"
).replace("_", "").split()  # fmt: skip
DATE_NAMES = (
    "date orderdate orderedat invoicedate purchasedate purchasedat transactiondate"
    " orderpurchasetimestamp datetime timestamp ordertime createdat day time"
).split()
VALUE_NAMES = (
    "value amount ordervalue orderamount ordertotal total totalamount totalprice grandtotal"
    " netamount revenue sales salesvalue spend monetary paymentvalue price sum"
).split()


class Columns(NamedTuple):
    """The three columns as the file names them; ``value`` may be a product of two."""

    client: str
    date: str
    value: tuple[str, ...]


def choose(
    found: Sequence[str], client: str | None, date: str | None, value: str | None
) -> Columns:
    """Return the columns asked for, or else those with a usual name.

    ``value`` may be ``A*B``, as ``Quantity*UnitPrice``. Raises Misconfigured, listing the columns.
    """
    return Columns(
        _asked(found, client, "--client-column") or _usual(found, CLIENT_NAMES, "client"),
        _asked(found, date, "--date-column") or _usual(found, DATE_NAMES, "date"),
        _value(found, value),
    )


def _value(found: Sequence[str], asked: str | None) -> tuple[str, ...]:
    if asked is None:
        return (_usual(found, VALUE_NAMES, "value"),)
    if asked in found:
        return (asked,)
    parts = [part.strip() for part in asked.split("*")]
    return tuple(_asked(found, part, "--value-column") or part for part in parts)


def _asked(found: Sequence[str], name: str | None, option: str) -> str | None:
    if name is not None and name not in found:
        raise Misconfigured(f"{option}: there is no column {name!r}; {_list(found)}")
    return name


def _usual(found: Sequence[str], names: Sequence[str], role: str) -> str:
    plain = {re.sub(r"[^a-z0-9]", "", column.lower()): column for column in reversed(found)}
    for name in names:
        if name in plain:
            return plain[name]
    raise Misconfigured(
        f"no column is named like a {role}: say which with --{role}-column; {_list(found)}"
    )


def _list(found: Sequence[str]) -> str:
    return "the file has " + ", ".join(repr(column) for column in found)
