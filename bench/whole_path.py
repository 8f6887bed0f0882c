"""The whole path on a stack of its own: bulk load, snapshot to scores, row to page."""

import random
import time
from datetime import UTC, datetime

from bench.figures import percentiles
from bench.show import say
from bench.workload import SEED
from demo.api import Api, Live, wait_for
from demo.cdnow import Clients, client_rows, order_rows, purchases
from stack.launcher import Stack

SCORED_LIMIT_S = 900.0
PAGE_LIMIT_S = 30.0


def fill(stack: Stack, api: Api, clients: Clients) -> dict[str, float]:
    """Load the histories, capture them as a snapshot, and return rows a second for both."""
    history = purchases(clients)
    people = list(client_rows(history))
    orders = list(order_rows(history, datetime.now(UTC)))
    rows = len(people) + len(orders)
    say(f"rows: {rows:,} rows through the API, then captured as a snapshot")
    began = time.monotonic()
    api.load("/api/clients/bulk", iter(people), lambda _: None)
    api.load("/api/orders/bulk", iter(orders), lambda _: None)
    loaded = time.monotonic()
    stack.start_pipeline()
    captured = time.monotonic()

    def look() -> bool | None:
        stack.parts.check()
        counts = api.stats()["clients"]
        return True if counts["total"] == len(people) and not counts["unscored"] else None

    wait_for("every client has a score", look, SCORED_LIMIT_S)
    return {
        "api_bulk.rows_per_s": rows / (loaded - began),
        "snapshot_to_scores.rows_per_s": rows / (time.monotonic() - captured),
    }


def row_to_page(api: Api, count: int) -> dict[str, float]:
    """Time single orders from the API's answer to the page's event; milliseconds."""
    say(f"rows: {count} orders, one after the other, to the page")
    chance = random.Random(SEED)
    ids = [row["id"] for row in api.get("/api/clients", state="lapsed", limit=200)["items"]]
    took = []
    with Live(api.url, api.auth) as live:
        for _ in range(count):
            client_id = chance.choice(ids)
            made = api.post("/api/orders", {"client_id": client_id, "amount": "10.00"})
            answered = time.monotonic()
            told, _ = live.merged(client_id, made["version"], PAGE_LIMIT_S)
            took.append(max(0.0, told - answered) * 1000)
    return {
        f"row_to_page_ms.p{p}": value
        for p, value in zip((50, 95, 99), percentiles(took, 50, 95, 99), strict=True)
    }
