"""Pure: which rows a dead letter was about. Where the bytes cannot be read, the key often can."""

import json
import re
from dataclasses import dataclass
from typing import Any

from common.topics import (
    AT_RISK,
    BACKFILL,
    CDC_CLIENTS,
    CDC_ORDERS,
    CDC_POLICIES,
    LIVE,
    SCORES,
)
from engage.letters import Letter

LANE_KEY = re.compile(rb"([1-9][0-9]{0,18})/(client|erased|order/([1-9][0-9]{0,18}))")
ID_MAX = 2**63 - 1

CANNOT = "its key names no row: when it is understood, dismiss it"
POLICY = "a policy is not sent again but published anew: then dismiss it"
OURS = "it is about no row: when it is understood, dismiss it"


@dataclass(frozen=True)
class Need:
    """What must be looked up in Postgres to make up for a letter."""

    clients: frozenset[int] = frozenset()
    orders: frozenset[int] = frozenset()
    pairs: frozenset[tuple[int, int]] = frozenset()
    """(client, order) that the lanes may hold: removed there unless Postgres has just that."""
    whole: bool = False
    """All orders of the clients, too."""
    impossible: str | None = None
    """Why nothing can be done about the letter here."""


def need_of(letter: Letter) -> Need:
    """Tell what a letter was about."""
    match letter.source:
        case CDC_CLIENTS.name | CDC_ORDERS.name:
            return _of_row(letter)
        case LIVE.name | BACKFILL.name:
            return _of_lane(letter.key)
        case SCORES.name:
            client = _number(letter.key)
            # The scorer tells a client's score anew whenever it merges one of its versions.
            return Need(impossible=CANNOT) if client is None else _client(client)
        case AT_RISK.name:
            return Need()
        case CDC_POLICIES.name:
            return Need(impossible=POLICY)
        case _:
            return Need(impossible=OURS)


def _of_row(letter: Letter) -> Need:
    row = _id(_json(letter.key), "id")
    if row is None:
        return Need(impossible=CANNOT)
    if letter.source == CDC_CLIENTS.name:
        return _client(row)
    told = _json(letter.value)
    images = [told.get(name) for name in ("before", "after")] if isinstance(told, dict) else []
    clients = {client for image in images if (client := _id(image, "client_id")) is not None}
    if not clients:
        # A removal must name its client: only the lanes know which one had a row that is gone.
        return Need(orders=frozenset({row}))
    return Need(orders=frozenset({row}), pairs=frozenset((client, row) for client in clients))


def _of_lane(key: bytes | None) -> Need:
    found = LANE_KEY.fullmatch(key or b"")
    if found is None or int(found[1]) > ID_MAX:
        return Need(impossible=CANNOT)
    client = int(found[1])
    if found[3] is None:
        return _client(client)
    order = int(found[3])
    if order > ID_MAX:
        return Need(impossible=CANNOT)
    return Need(orders=frozenset({order}), pairs=frozenset({(client, order)}))


def _client(client: int) -> Need:
    return Need(clients=frozenset({client}), whole=True)


def _json(raw: bytes | None) -> Any:
    try:
        return json.loads(raw or b"null")
    except (ValueError, RecursionError):
        return None


def _id(row: Any, name: str) -> int | None:
    value = row.get(name) if isinstance(row, dict) else None
    valid = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= ID_MAX
    return value if valid else None


def _number(key: bytes | None) -> int | None:
    text = key or b""
    valid = text.isdigit() and len(text) <= 19 and 1 <= int(text) <= ID_MAX  # noqa: PLR2004 - 2^63
    return int(text) if valid else None
