"""A dead letter as it is shown without ``pii:read``.

A record that did not pass may hold anything under any name, so only what is known to be harmless is
shown: names of our own, and below them only what looks like an id, a figure, a time or a code.
"""

import re
from typing import Any

import orjson

MASK = "•••"
SHAPE = frozenset({"headers", "key", "value"})
"""What is a letter, wherever it stands in an answer."""
HEADERS = frozenset("reason detail topic partition offset attempt parked_at".split())
"""Written by whoever parked it, and never personal; the record's own headers may say anything."""
HARMLESS = frozenset(
    "id client_id order_id episode_id version policy_version generation attempt offset partition "
    "lsn txId amount as_of at ts_ms ordered_at created_at updated_at crossing_day last_order_day "
    "entity type kind op status state reason cause outcome schema table db deleted".split()
)
NAMES = HARMLESS | frozenset(
    "payload before after source data client order clients orders first_name surname email phone "
    "address consent style_tags category items currency".split()
)
"""Field names of our own; any other may be a person's."""
FIGURE = re.compile(r"[0-9][0-9TZ:.+-]{0,39}")
"""Ids, versions, amounts, days and times."""
CODE = re.compile(r"[a-z][a-z_-]{0,39}")
KEY = re.compile(r"[0-9]{1,19}(/[a-z]+)?(/[0-9]{1,19})?")
"""As on the lanes: ``42/client``, ``42/order/7``."""
DEPTH_MAX = 6


def veiled(letter: dict[str, Any]) -> dict[str, Any]:
    """Return a letter with everything hidden that might be about a person; null stays null."""
    return {
        **letter,
        "headers": {name: one for name, one in letter["headers"].items() if name in HEADERS},
        "key": _key(letter["key"]),
        "value": _shown("", letter["value"], 0),
    }


def _key(key: str | None) -> str | None:
    if key is None or KEY.fullmatch(key):
        return key
    try:
        return orjson.dumps(_shown("", orjson.loads(key), 0)).decode()
    except ValueError:
        return MASK


def _shown(name: str, value: Any, depth: int) -> Any:
    """Return what may be seen of a value that stands under this name."""
    if value is None:
        return None
    if isinstance(value, dict | list) and depth < DEPTH_MAX:
        if isinstance(value, list):
            return [_shown("", one, depth + 1) for one in value]
        # All names that are none of ours become one.
        return {
            inner if inner in NAMES else MASK: _shown(inner, one, depth + 1)
            for inner, one in value.items()
        }
    return value if name in HARMLESS and _plain(value) else MASK


def _plain(value: Any) -> bool:
    """Say whether a value under a harmless name is what is usual there."""
    if isinstance(value, str):
        return bool(FIGURE.fullmatch(value) or CODE.fullmatch(value))
    return isinstance(value, int | float)
