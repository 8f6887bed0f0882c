"""A small made-up shop, the same at each run: enough for every page to have something to show."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from stack.launcher import Stack
from tests.e2e import books
from tests.e2e.waiting import wait_for

NAMES = ("Ada", "Bea", "Cem", "Dag", "Eva", "Finn", "Gia", "Hana", "Ivo", "Jana", "Kai", "Lia")
SURNAMES = ("Adler", "Brandt", "Castro", "Dahl", "Engel", "Fischer", "Gruber")
TAGS = ("linen", "jazz", "denim", "wool", "retro", "minimal", "colour")
CATEGORIES = ("shirts", "vinyl", "shoes", "coats")
CLIENTS = 84
DAYS = 14
"""So many days pass before anybody looks."""
LIMIT_S = 240.0
POLICY = {"holdout_percent": 10, "auto_approve": False, "hold_after_days": 21}


def fill(stack: Stack) -> None:
    """Load the shop, and let days pass until there are drafts, held emails, and a history."""
    books.publish(stack, **POLICY)
    chance = random.Random(7)
    clients = [_client(id_, chance) for id_ in range(1, CLIENTS + 1)]
    orders = [order for client in clients for order in _orders(client["id"], chance)]
    books.load(stack, "/api/clients/bulk", [json.dumps(row).encode() + b"\n" for row in clients])
    books.load(stack, "/api/orders/bulk", [json.dumps(row).encode() + b"\n" for row in orders])
    books.settled(stack, LIMIT_S)
    stack.set_clock(rate=86_400 / 2)
    wait_for("days have passed and drafts wait", lambda: _is_ready(stack), LIMIT_S)
    stack.set_clock(rate=1.0)


def episode(http: httpx.Client, state: str, place: int = 0) -> str:
    """Return the id of an episode that stands in a state: the newest, or -1 for one of the last."""
    found = http.get("/api/emails", params={"state": state, "limit": 50}).json()["items"]
    return str(found[place]["episode_id"])


def _client(id_: int, chance: random.Random) -> dict[str, Any]:
    first, last = chance.choice(NAMES), chance.choice(SURNAMES)
    return {
        "id": id_,
        "first_name": first,
        "surname": last,
        "email": f"{first}.{last}.{id_}@example.com".lower(),
        "style_tags": sorted(chance.sample(TAGS, 2)),
        "synthetic": True,
    }


def _orders(client: int, chance: random.Random) -> list[dict[str, Any]]:
    age, orders = chance.uniform(1, 150), []
    for _ in range(chance.randrange(0, 7)):
        when = datetime.now(UTC) - timedelta(days=age)
        orders.append(
            {
                "client_id": client,
                "amount": f"{chance.uniform(15, 180):.2f}",
                "category": chance.choice(CATEGORIES),
                "ordered_at": when.isoformat(),
            }
        )
        age += chance.uniform(10, 60)
    return orders


def _is_ready(stack: Stack) -> bool | None:
    stack.parts.check()
    [days] = books.select(
        stack,
        "SELECT count(*) AS number, max(as_of) - min(as_of) AS apart FROM daily_figures",
    )
    states = {row["state"] for row in books.select(stack, "SELECT DISTINCT state FROM episodes")}
    enough = days["number"] >= 4 and days["apart"] >= DAYS and {"draft", "held"} <= states
    return True if enough else None
