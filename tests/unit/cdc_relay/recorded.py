"""Envelopes as Debezium 3.7 really wrote them, from made-up rows: loaded by name."""

import copy
import json
from pathlib import Path
from typing import Any

RECORDED: list[dict[str, Any]] = json.loads((Path(__file__).parent / "recorded.json").read_text())
ENVELOPES = [r["name"] for r in RECORDED if r["value"] is not None and "op" in r["value"]]


def envelope(name: str) -> dict[str, Any]:
    """Return a copy of the recorded value called ``name``, to be changed at will."""
    return copy.deepcopy(record_of(name)["value"])


def record_of(name: str) -> dict[str, Any]:
    """Return the whole record called ``name``."""
    return next(record for record in RECORDED if record["name"] == name)


def raw(value: Any) -> bytes | None:
    """Return a value as the bytes that stand on the topic."""
    return None if value is None else json.dumps(value).encode()
