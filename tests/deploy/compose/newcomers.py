"""Clients who come one after the other, each with one order, while the system is worked on."""

import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx

from tests.e2e.system import System
from tests.e2e.waiting import wait_for

ORDER_EVERY_S = 0.25
AGAIN_S = 0.2
ACCEPTED_LIMIT_S = 180.0
SCORED_LIMIT_S = 180.0


class Newcomers:
    """None of their orders may be lost."""

    def __init__(self, system: System, first: int) -> None:
        """Begin with none; ``first`` is the id of the first, and of the first order."""
        self._system = system
        self._first = first
        self._over = threading.Event()
        self.came: list[int] = []
        self._accepted_at: list[float] = []

    def waited_s(self, since: int) -> float:
        """Return the longest time without an accepted order from the one of a number on."""
        times = [*self._accepted_at[max(0, since - 1) :], time.monotonic()]
        return max((b - a for a, b in itertools.pairwise(times)), default=0.0)

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

    def all_scored(self) -> None:
        """Wait until each order is in its client's score; AssertionError when one is not."""
        waiting = list(self.came)

        def scored() -> bool | None:
            waiting[:] = [client for client in waiting if not self._scored(client)]
            return None if waiting else True

        wait_for("each order is in its client's score", scored, SCORED_LIMIT_S)
        print(f"  all {len(self.came)} orders are in the scores", flush=True)

    def _come(self) -> None:
        for client in itertools.count(self._first):
            if self._over.wait(ORDER_EVERY_S):
                return
            self._accepted("/api/clients", {"id": client, "first_name": "New", "synthetic": True})
            self._accepted("/api/orders", {"id": client, "client_id": client, "amount": "12.50"})
            self.came.append(client)
            self._accepted_at.append(time.monotonic())

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

    def _scored(self, client: int) -> bool:
        """Tell whether a client's score knows the order."""
        (order,) = self._system.get("/api/orders", client_id=client)["items"]
        score = self._system.get(f"/api/clients/{client}")["score"]
        return score is not None and score["merged_version"] >= order["version"]
