"""Pure: whose a dead letter is, and what may stay of one that is about two clients."""

import json
from collections.abc import Mapping
from typing import Any

from common.topics import AT_RISK, BACKFILL, CDC_CLIENTS, CDC_ORDERS, LIVE, SCORES

ID_MAX = 2**63 - 1
LANES = (LIVE.name, BACKFILL.name)
OF_CLIENTS = (CDC_CLIENTS.name, CDC_ORDERS.name, *LANES, SCORES.name, AT_RISK.name)
"""The topics whose records are about clients; the others' letters are nobody's."""
IMAGES = ("before", "after")
KEPT = ("id", "client_id", "version")
"""What a letter may go on saying of a row of somebody else: enough to send that row again."""


def owners(
    source: str, key: bytes | None, value: bytes | None, owner_of: Mapping[int, frozenset[int]]
) -> frozenset[int] | None:
    """Return the clients that a letter of ``source`` is about; None when nothing in it tells.

    Key and value both count, for either may be broken. ``owner_of`` knows whose an order is and
    was, for letters that name an order alone.
    """
    if source not in OF_CLIENTS:
        return frozenset()
    if source == CDC_CLIENTS.name:
        told = _json(value)
        found = {_id(_json(key), "id"), *(_id(_part(told, name), "id") for name in IMAGES)}
    elif source == CDC_ORDERS.name:
        told = _json(value)
        found = {_id(_part(told, name), "client_id") for name in IMAGES}
        orders = (_id(_json(key), "id"), *(_id(_part(told, name), "id") for name in IMAGES))
        for order in orders:
            found |= owner_of.get(order or 0, frozenset())
    else:
        told = _json(value)
        found = {client_of(key), _number(_part(told, "subject"))}
        found.add(_id(_part(told, "data"), "client_id"))
    return frozenset(client for client in found if client is not None) or None


def client_of(key: bytes | None) -> int | None:
    """Return the client of a key that begins with its id: ``42``, ``42/order/7``, ``42/0``."""
    return _number((key or b"").split(b"/", 1)[0].decode("ascii", errors="replace"))


def order_of(key: bytes | None) -> int | None:
    """Return the order of a key on the lanes: ``42/order/7``."""
    parts = (key or b"").decode("ascii", errors="replace").split("/")
    return _number(parts[2]) if len(parts) == 3 and parts[1] == "order" else None  # noqa: PLR2004


def reduced(value: bytes | None) -> bytes | None:
    """Return a row change without anything but ids and versions; None when it cannot be read.

    It is parked as before, and a replay sends the row that it names, as it stands by then.
    """
    told = _json(value)
    if not isinstance(told, dict):
        return None
    kept: dict[str, Any] = {"op": told["op"]} if told.get("op") in list("crud") else {}
    for name in IMAGES:
        image = _part(told, name)
        if isinstance(image, dict):
            kept[name] = {field: _id(image, field) for field in KEPT if _id(image, field)}
    return json.dumps(kept).encode()


def _json(raw: bytes | None) -> Any:
    try:
        return json.loads(raw or b"null")
    except (ValueError, RecursionError):
        return None


def _part(document: Any, name: str) -> Any:
    return document.get(name) if isinstance(document, dict) else None


def _id(row: Any, name: str) -> int | None:
    value = _part(row, name)
    valid = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= ID_MAX
    return value if valid else None


def _number(text: Any) -> int | None:
    if not isinstance(text, str) or not (text.isascii() and text.isdigit() and len(text) <= 19):  # noqa: PLR2004 - 2^63
        return None
    return int(text) if 1 <= int(text) <= ID_MAX else None
