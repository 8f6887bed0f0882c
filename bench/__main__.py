"""Measures the whole path on this machine: ``python -m bench`` writes ``bench/results.json``.

Figures of a shared machine are noisy: compare ratios of one run, not absolute numbers of two.
"""

import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx

from demo.api import Api, Live, StepMissing, wait_for
from demo.cdnow import Clients, client_rows, order_rows, purchases
from stack import signals
from stack.errors import Missing, PartFailed
from stack.launcher import Stack

RESULTS = Path(__file__).parent / "results.json"
SEED = 20261122
SCORED_LIMIT_S = 900.0
PAGE_LIMIT_S = 30.0
ORDERS = {True: 100, False: 500}
"""Orders timed one after the other, by whether the run is a quick one."""


def fill(stack: Stack, api: Api, clients: Clients) -> dict[str, float]:
    """Load the histories, capture them as a snapshot, and return rows a second for both."""
    history = purchases(clients)
    people = list(client_rows(history))
    orders = list(order_rows(history, datetime.now(UTC)))
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
    rows = len(people) + len(orders)
    return {
        "api_bulk.rows_per_s": rows / (loaded - began),
        "snapshot_to_scores.rows_per_s": rows / (time.monotonic() - captured),
    }


def row_to_page(api: Api, count: int) -> dict[str, float]:
    """Time single orders from the API's answer to the page's event; milliseconds."""
    chance = random.Random(SEED)
    ids = [row["id"] for row in api.get("/api/clients", state="lapsed", limit=200)["items"]]
    took = []
    with Live(api.url) as live:
        for _ in range(count):
            client_id = chance.choice(ids)
            made = api.post("/api/orders", {"client_id": client_id, "amount": "10.00"})
            answered = time.monotonic()
            told, _ = live.merged(client_id, made["version"], PAGE_LIMIT_S)
            took.append(max(0.0, told - answered) * 1000)
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    return {
        "row_to_page_ms.p50": cuts[49],
        "row_to_page_ms.p95": cuts[94],
        "row_to_page_ms.p99": cuts[98],
    }


def main() -> int:
    """Run the benchmark; QUICK=1 takes the sample and fewer orders."""
    quick = bool(os.environ.get("QUICK"))
    signals.as_interrupts()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="bench-") as folder,
            Stack(Path(folder), durable=True) as stack,
        ):
            stack.start_servers()
            stack.start_api()
            api = Api(stack.api_url)
            figures = fill(stack, api, "sample" if quick else "all")
            figures |= row_to_page(api, ORDERS[quick])
            api.close()
    except (Missing, PartFailed, StepMissing, httpx.HTTPError, FileNotFoundError) as error:
        print(f"the benchmark failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    report = {
        "quick": quick,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_average": os.getloadavg()[0],
        **{name: round(value, 1) for name, value in figures.items()},
    }
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
