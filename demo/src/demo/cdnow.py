"""The purchase histories of CDNOW, shifted to end today, with made-up people around them.

The file ships inside the PyPI package ``lifetimes``; it is read from there and never copied. Ids,
order dates and amounts are real; names, tags, categories, currency and addresses are made up,
seeded, and labelled as synthetic.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

SEED = 19970101
Clients = Literal["sample", "all"]

FIRST_NAMES = (
    "Ada Alma Amir Anouk Arjun Asta Aylin Bao Bea Bruno Carmen Chidi Clara Dalia Dario Edda Elif "
    "Emil Esra Farid Fleur Freya Goran Greta Hana Hugo Ida Ines Ivo Jana Jonas Kaito Karla Kofi "
    "Lara Leif Lena Lior Luca Maja Malik Marta Milo Mina Nadia Nils Noor Olga Omar Otis Paula Pia "
    "Quinn Rana Remy Rosa Samir Selma Sofia Taro Tess Tilda Uma Vera Viktor Wanda Yara Yusuf Zoe"
).split()
STYLE_TAGS = (
    "jazz", "classical", "indie", "vinyl lover", "soundtracks", "electronic", "folk", "opera",
    "hip-hop", "live recordings", "box sets", "new releases",
)  # fmt: skip
CATEGORIES = ("jazz", "classical", "rock", "pop", "world", "soundtrack", "electronic", "folk")


@dataclass(frozen=True)
class Purchase:
    """One line of the file: ``day`` counts from the file's last day, which is 0."""

    order_id: int
    client_id: int
    day: int
    amount: str


def source(clients: Clients) -> Path:
    """Return the path of the installed data file; raises FileNotFoundError with what to do."""
    spec = find_spec("lifetimes")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the demo's data is not installed: run `make setup`")
    name = "CDNOW_sample.txt" if clients == "sample" else "CDNOW_master.txt"
    return Path(spec.origin).parent / "datasets" / name


def purchases(clients: Clients) -> list[Purchase]:
    """Read the histories: about 2,400 clients in the sample, 23,570 in all."""
    rows = []
    for line in source(clients).read_text(encoding="ascii").splitlines():
        fields = line.split()
        if fields and fields[0].isdigit():
            day = datetime.strptime(fields[-3], "%Y%m%d").replace(tzinfo=UTC).date()
            rows.append((int(fields[0]), day, fields[-1]))
    last = max(day for _, day, _ in rows)
    return [
        Purchase(number, client_id, (day - last).days, amount)
        for number, (client_id, day, amount) in enumerate(rows, start=1)
    ]


def client_rows(history: list[Purchase]) -> Iterator[bytes]:
    """Yield one made-up client per id in the histories, as NDJSON lines."""
    for client_id in sorted({purchase.client_id for purchase in history}):
        chance = random.Random(SEED + client_id)  # noqa: S311 - made-up people, no secrets
        name = chance.choice(FIRST_NAMES)
        yield _line(
            {
                "id": client_id,
                "first_name": name,
                "email": f"{name.lower()}.{client_id}@example.com",
                "style_tags": sorted(chance.sample(STYLE_TAGS, chance.randint(1, 3))),
                "synthetic": True,
            }
        )


def order_rows(history: list[Purchase], today: datetime) -> Iterator[bytes]:
    """Yield the orders as NDJSON lines, dated so that the last one falls on ``today``."""
    for purchase in history:
        chance = random.Random(SEED - purchase.order_id)  # noqa: S311
        minute = timedelta(minutes=chance.randrange(24 * 60))
        midnight = datetime.combine(today.date() + timedelta(days=purchase.day), time(tzinfo=UTC))
        yield _line(
            {
                "id": purchase.order_id,
                "client_id": purchase.client_id,
                "ordered_at": min(midnight + minute, today).isoformat(),
                "amount": purchase.amount,
                "currency": "USD",
                "category": chance.choice(CATEGORIES),
            }
        )


def _line(row: dict[str, object]) -> bytes:
    return json.dumps(row).encode() + b"\n"
