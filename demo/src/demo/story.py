"""The demo's story, step by step; each step checks that what it tells has happened."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from demo.api import Api, Json, Live, StepMissing, wait_for
from demo.cdnow import Clients, client_rows, order_rows, purchases

SCORED_LIMIT_S = {"sample": 180.0, "all": 900.0}
EPISODES_LIMIT_S = 180.0
EMAILS_LIMIT_S = 120.0
CLOCK_LIMIT_S = 180.0
PAGE_LIMIT_S = 15.0

RELEASED = 10
FAST = 86_400 / 3.0
"""One business day in three seconds."""
NEW_EPISODES = 5
ORDERS = 20

WROTE = ("written", "draft", "rejected", "failed")
"""States in which the model was asked and an answer is in the ledger."""

Say = Callable[[str], None]
Advance = Callable[[str, int, int], None]
"""Told (what, done, total) while something goes on."""


@dataclass
class Outcome:
    """What the demo saw, for its summary and its verdict."""

    rows: dict[str, int] = field(default_factory=dict)
    stats: Json = field(default_factory=dict)
    released: int = 0
    opened_by_clock: int = 0
    raised: tuple[float, float] = (0.0, 0.0)
    """The first order's client: score before and after."""
    recovered: str = ""
    latencies_ms: list[float] = field(default_factory=list)

    @property
    def p50_ms(self) -> float:
        """Median from the API's answer to the page."""
        return statistics.median(self.latencies_ms)

    @property
    def p95_ms(self) -> float:
        """95th percentile from the API's answer to the page."""
        return statistics.quantiles(self.latencies_ms, n=20, method="inclusive")[-1]


class Story:
    """The steps in their order, over one running system."""

    def __init__(self, api: Api, clients: Clients, advance: Advance) -> None:
        """Tell the story of ``clients`` through ``api``."""
        self._api = api
        self._clients = clients
        self._advance = advance
        self._history = purchases(clients)
        self.outcome = Outcome()

    def load(self, today: datetime) -> None:
        """Load the histories; capture has not begun, so they will arrive as a snapshot."""
        people = list(client_rows(self._history))
        done = {"clients": 0, "orders": 0}
        totals = {"clients": len(people), "orders": len(self._history)}
        for what, rows in (
            ("clients", iter(people)),
            ("orders", order_rows(self._history, today)),
        ):

            def seen(count: int, what: str = what) -> None:
                done[what] += count
                self._advance(f"loading {what}", done[what], totals[what])

            self.outcome.rows[what] = self._api.load(f"/api/{what}/bulk", rows, seen)
        if self.outcome.rows != totals:
            raise StepMissing(f"loaded {self.outcome.rows}, not {totals}")

    def until_scored(self) -> None:
        """Wait until every client has a score or is known to have no counted order."""
        total = self.outcome.rows["clients"]

        def look() -> bool | None:
            clients = self._api.stats()["clients"]
            self._advance("scoring clients", clients["total"] - clients["unscored"], total)
            return True if clients["total"] == total and clients["unscored"] == 0 else None

        wait_for("every client has a score", look, SCORED_LIMIT_S[self._clients])

    def until_held(self) -> None:
        """Wait until each client at risk has its episode; nobody is written to by surprise."""

        def look() -> bool | None:
            stats = self._api.stats()
            at_risk = stats["clients"]["by_state"].get("at_risk", 0)
            self._advance("opening episodes", stats["episodes"]["total"], at_risk)
            return True if 0 < at_risk <= stats["episodes"]["total"] else None

        wait_for("every client at risk has an episode", look, EPISODES_LIMIT_S)
        if not self._api.stats()["episodes"]["by_state"].get("held"):
            raise StepMissing("no old crossing was held back")

    def release(self) -> list[Json]:
        """Release the most valuable of the held episodes; return their emails once written."""
        page = self._api.get("/api/emails", state="held", sort="-value", limit=RELEASED)
        chosen = [row["episode_id"] for row in page["items"]]
        for episode_id in chosen:
            self._api.post(
                "/api/decisions",
                {"episode_id": episode_id, "action": "release"},
            )

        def look() -> list[Json] | None:
            rows = [self._api.get(f"/api/emails/{episode_id}") for episode_id in chosen]
            ended = [row for row in rows if row["state"] in WROTE]
            self._advance("writing emails", len(ended), len(chosen))
            return rows if len(ended) == len(chosen) else None

        rows = wait_for("the released emails are written", look, EMAILS_LIMIT_S)
        written = [row for row in rows if row["state"] == "written" and row["email"]]
        if len(written) != len(chosen):
            states = {row["episode_id"]: (row["state"], row["reason"]) for row in rows}
            raise StepMissing(f"not every released episode has its email: {states}")
        self.outcome.released = len(written)
        return written

    def until_clock_opens(self) -> None:
        """Let the fast clock open new episodes, and wait until their emails are written."""
        began = datetime.fromisoformat(self._api.stats()["business_now"])

        def look() -> bool | None:
            rows = self._api.get("/api/emails", state="written", sort="-created", limit=200)
            new = [
                row for row in rows["items"] if datetime.fromisoformat(row["opened_as_of"]) >= began
            ]
            self.outcome.opened_by_clock = len(new)
            self._advance("days pass, clients fall at risk", len(new), NEW_EPISODES)
            return True if len(new) >= NEW_EPISODES else None

        wait_for("the clock opens episodes and emails follow", look, CLOCK_LIMIT_S)

    def order(self, written: list[Json]) -> None:
        """Let clients order again: the first one was written to, so its episode must close."""
        first = written[0]
        others = self._api.get("/api/clients", state="at_risk", sort="score", limit=ORDERS)
        ids = [first["client_id"]]
        ids += [row["id"] for row in others["items"] if row["id"] != ids[0]][: ORDERS - 1]
        before = self._api.get(f"/api/clients/{ids[0]}/score")["score"]
        with Live(self._api.url, self._api.auth) as live:
            for done, client_id in enumerate(ids, start=1):
                order = self._api.post(
                    "/api/orders", {"client_id": client_id, "amount": "25.00", "category": "jazz"}
                )
                answered = time.monotonic()
                told, score = live.merged(client_id, order["version"], PAGE_LIMIT_S)
                self.outcome.latencies_ms.append(max(0.0, told - answered) * 1000)
                if client_id == ids[0]:
                    self.outcome.raised = (before, score["score"])
                self._advance("clients order again", done, len(ids))
        if not self.outcome.raised[1] > self.outcome.raised[0]:
            raise StepMissing(f"an order did not raise the score: {self.outcome.raised}")

        def look() -> str | None:
            state = self._api.get(f"/api/emails/{first['episode_id']}")["state"]
            return state if state == "recovered" else None

        wait_for("an order closes the episode", look, PAGE_LIMIT_S)
        self.outcome.recovered = first["episode_id"]

    def settle(self) -> Outcome:
        """Take the counts of the end; the ledger must balance."""
        self.outcome.stats = stats = self._api.stats()
        by_state = stats["episodes"]["by_state"]
        if sum(by_state.values()) != stats["episodes"]["total"]:
            raise StepMissing(f"the ledger does not balance: {stats['episodes']}")
        return self.outcome
