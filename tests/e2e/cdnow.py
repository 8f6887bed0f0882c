"""CDNOW read by itself, dated anew or as it is: rows for the API, pairs for the reference."""

import json
from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple


class Purchase(NamedTuple):
    """One line of the file."""

    order_id: int
    client_id: int
    day: date
    amount: str


def purchases(today: date | None = None, name: str = "CDNOW_master.txt") -> list[Purchase]:
    """Read all purchases, shifted so that the last one falls on ``today``; else as they are."""
    spec = find_spec("lifetimes")
    assert spec is not None, "run `make setup`"
    assert spec.origin is not None
    lines = (Path(spec.origin).parent / "datasets" / name).read_text().splitlines()
    rows = [fields for fields in map(str.split, lines) if fields and fields[0].isdigit()]
    days = [datetime.strptime(fields[-3], "%Y%m%d").date() for fields in rows]  # noqa: DTZ007
    shift = (today or max(days)) - max(days)
    return [
        Purchase(number, int(fields[0]), day + shift, fields[-1])
        for number, (fields, day) in enumerate(zip(rows, days, strict=True), start=1)
    ]


def client_lines(history: list[Purchase]) -> list[bytes]:
    """Return one NDJSON line per client."""
    ids = sorted({purchase.client_id for purchase in history})
    return [_line({"id": i, "first_name": f"Client{i}", "synthetic": True}) for i in ids]


def order_lines(history: list[Purchase]) -> list[bytes]:
    """Return one NDJSON line per order, at the first moment of its day."""
    return [
        _line(
            {
                "id": purchase.order_id,
                "client_id": purchase.client_id,
                "ordered_at": f"{purchase.day.isoformat()}T00:00:00Z",
                "amount": purchase.amount,
            }
        )
        for purchase in history
    ]


def by_client(history: list[Purchase]) -> dict[int, list[tuple[date, float]]]:
    """Return each client's (date, amount) pairs."""
    orders: dict[int, list[tuple[date, float]]] = {}
    for purchase in history:
        orders.setdefault(purchase.client_id, []).append((purchase.day, float(purchase.amount)))
    return orders


def _line(row: dict[str, object]) -> bytes:
    return json.dumps(row).encode() + b"\n"
