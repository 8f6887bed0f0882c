"""Load: clients come, order and change their minds; orders of regulars; and people who look."""

import contextlib
import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from stack.tokens import As
from tests.chaos.emails import plan
from tests.chaos.emails.journal import Journal
from tests.chaos.emails.model import Model
from tests.chaos.emails.plan import Plan
from tests.chaos.emails.trade import Trade
from tests.deploy.k8s.shop import Shop
from tests.e2e import books

REGULARS = range(2, 12)
"""Clients who order all the time, and so get no emails."""
FIRST_ORDER = 900_000_000
"""Of the regulars, far from the ids of plans."""
ORDER_EVERY_S = 0.3
LOOK_EVERY_S = 0.1
HTTP_LIMIT_S = 10.0
DONE_LIMIT_S = 300.0
AGAIN_S = 0.2
LOOKED_AT = ("/api/stats", "/api/clients?limit=20", "/api/policies/current", "/readyz", "/")
RULES = {"holdout_percent": 0, "auto_approve": True}
NO_CAP = {"cap_days": 0, "quiet_hours": None, "release_per_minute": 100_000}
SETTLED_LIMIT_S = 600.0


class Counting(httpx.HTTPTransport):
    """Opens a connection for each request, as a new visitor does, and notes each that failed.

    For one thread: in a pool that threads share, what closes one's connection, for it shall not be
    kept, may close it after another was given it.
    """

    def __init__(self) -> None:
        """Keep no connection alive."""
        super().__init__(limits=httpx.Limits(max_keepalive_connections=0))
        self.sent = 0
        self.failed: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and count it."""
        self.sent += 1
        what = f"{time.strftime('%H:%M:%S')} {request.method} {request.url.path}"
        try:
            answer = super().handle_request(request)
        except httpx.TransportError as error:
            self.failed.append(f"{what}: {error!r}")
            raise
        if answer.status_code >= 500 or answer.status_code in {401, 403}:
            self.failed.append(f"{what}: {answer.status_code}")
        return answer


class Load:
    """What goes on until it is told to stop."""

    def __init__(self, shop: Shop, journal: Journal, seed: int) -> None:
        """Put rules in force under which nobody is held out, capped, or has quiet hours."""
        self._shop = shop
        self._journal = journal
        self._seed = seed
        self._over = threading.Event()
        self._transports: list[Counting] = []
        self.orders: list[int] = []
        """Of the regulars, as accepted."""
        self.schedules = 0
        with self._http() as http:
            document = http.get("/api/policies/current").json()["document"] | RULES
            document["emails"] = document.get("emails", {}) | NO_CAP
            document.pop("version", None)
            http.post("/api/policies", json={"document": document}).raise_for_status()
            for client in REGULARS:
                body = {"id": client, "first_name": f"Regular {client}", "synthetic": True}
                http.post("/api/clients", json=body).raise_for_status()
            now = datetime.fromisoformat(http.get("/api/stats").json()["business_now"])
            self._today = now.astimezone(UTC).date()
        books.settled(shop.as_stack(), SETTLED_LIMIT_S)
        self._rules = books.rules_in_force(shop.as_stack())

    @property
    def sent(self) -> int:
        """How many requests were sent."""
        return sum(one.sent for one in self._transports)

    @property
    def failed(self) -> list[str]:
        """Which of them failed: no answer, or one that says that it is not the caller's fault."""
        return sorted(line for one in self._transports for line in one.failed)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Trade until the block ends; a piece of work that failed ends it by its error."""
        with ThreadPoolExecutor(3) as pool:
            works = [pool.submit(work) for work in (self._trade, self._order, self._look)]
            try:
                yield
            finally:
                self._over.set()
            for work in works:
                work.result()

    def _http(self) -> httpx.Client:
        """Return what one thread asks by."""
        transport = Counting()
        self._transports.append(transport)
        return httpx.Client(
            base_url=self._shop.api_url,
            auth=As(self._shop.issuer_url),
            transport=transport,
            timeout=HTTP_LIMIT_S,
        )

    def _trade(self) -> None:
        """Carry out one plan after the other, none with trouble: each pod has a model of its own,
        which cannot be told of any.
        """
        # Only a person's second try asks it anything, and nobody has one.
        model = Model("http://127.0.0.1:1")
        with self._http() as http:
            while not self._over.is_set():
                whole = plan.make(
                    self._seed, self.schedules, self._today, self._rules, delivery=True
                )
                trade = Trade(http, self._journal, model, self.schedules)
                trade.run(_without_trouble(whole), time.monotonic())
                self.schedules += 1

    def _order(self) -> None:
        """Place orders of regulars; one that failed is placed again, under its own id."""
        with self._http() as http:
            for number in itertools.count():
                if self._over.wait(ORDER_EVERY_S):
                    return
                order = FIRST_ORDER + number
                client = REGULARS[number % len(REGULARS)]
                body = {"id": order, "client_id": client, "amount": "12.50"}
                deadline = time.monotonic() + DONE_LIMIT_S
                while (answer := _posted(http, body)) not in {201, 409}:
                    assert time.monotonic() < deadline, f"order {order}: {answer}"
                    time.sleep(AGAIN_S)
                self.orders.append(order)

    def _look(self) -> None:
        """Read what the dashboard reads."""
        with self._http() as http:
            for path in itertools.cycle(LOOKED_AT):
                if self._over.wait(LOOK_EVERY_S):
                    return
                with contextlib.suppress(httpx.TransportError):
                    http.get(path)


def _posted(http: httpx.Client, body: dict[str, Any]) -> int | None:
    """Return the status of an order, or None where there was no answer."""
    try:
        return http.post("/api/orders", json=body).status_code
    except httpx.TransportError:
        return None


def _without_trouble(whole: Plan) -> Plan:
    """Return a plan without those whom the model fails, and without harm."""
    return Plan(
        tuple(person for person in whole.people if person.trouble is None),
        tuple(act for act in whole.acts if act.person.trouble is None),
        (),
        (),
    )
