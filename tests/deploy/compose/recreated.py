"""Each service's container, and the scorer's table, are made anew under load: no order is lost."""

import functools
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx

from tests.deploy.compose.project import Project
from tests.e2e.system import System, met
from tests.e2e.waiting import wait_for

RECREATED = ("client-api", "projector", "relay", "scorer", "mailer")
FIRST_CLIENT = 700_000_000
ORDER_EVERY_S = 0.25
AGAIN_S = 0.2
ACCEPTED_LIMIT_S = 180.0
SCORED_LIMIT_S = 180.0


class Newcomers:
    """Clients who come one after the other, each with one order: none may be lost."""

    def __init__(self, system: System) -> None:
        """Begin with none."""
        self._system = system
        self._over = threading.Event()
        self.came: list[int] = []

    @contextmanager
    def coming(self) -> Iterator[None]:
        """Let them come until the block ends."""
        with ThreadPoolExecutor(1) as pool:
            work = pool.submit(self._come)
            try:
                yield
            finally:
                self._over.set()
            work.result()

    def _come(self) -> None:
        for client in itertools.count(FIRST_CLIENT):
            if self._over.wait(ORDER_EVERY_S):
                return
            self._accepted("/api/clients", {"id": client, "first_name": "New", "synthetic": True})
            self._accepted("/api/orders", {"id": client, "client_id": client, "amount": "12.50"})
            self.came.append(client)

    def _accepted(self, path: str, body: dict[str, Any]) -> None:
        """Create a row; what failed is sent again, under its own id."""
        deadline = time.monotonic() + ACCEPTED_LIMIT_S
        while (status := self._sent(path, body)) not in {201, 409}:
            assert time.monotonic() < deadline, f"{path} {body['id']}: {status}"
            time.sleep(AGAIN_S)

    def _sent(self, path: str, body: dict[str, Any]) -> int | None:
        try:
            return self._system.http.post(path, json=body).status_code
        except httpx.TransportError:
            return None

    def scored(self, client: int) -> bool:
        """Tell whether a client's score knows the order."""
        (order,) = self._system.get("/api/orders", client_id=client)["items"]
        score = self._system.get(f"/api/clients/{client}")["score"]
        return score is not None and score["merged_version"] >= order["version"]


def check(project: Project) -> None:
    """Make each container anew, one after the other, and the scorer's table; then find every order
    in a score.
    """
    with met(project.state_file) as system:
        newcomers = Newcomers(system)
        with newcomers.coming():
            for service in RECREATED:
                _timed(service, newcomers, functools.partial(project.recreate, service))
            _timed("generation 2", newcomers, project.rebuild)
        waiting = list(newcomers.came)

        def scored() -> bool | None:
            waiting[:] = [client for client in waiting if not newcomers.scored(client)]
            return None if waiting else True

        wait_for("each order is in its client's score", scored, SCORED_LIMIT_S)
        print(f"  all {len(newcomers.came)} orders are in the scores", flush=True)


def _timed(what: str, newcomers: Newcomers, work: Callable[[], None]) -> None:
    began, before = time.monotonic(), len(newcomers.came)
    work()
    took, orders = time.monotonic() - began, len(newcomers.came) - before
    print(f"  {what:<12} {took:.0f} s, {orders} orders", flush=True)
