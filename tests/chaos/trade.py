"""A day's trade of a made-up shop, from a seed: clients and orders come, change, move and go."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx

CLIENTS = 40
ORDERS_MAX = 8
CHANGES = 160
IDS_EACH = 10_000
"""Room for the ids of one schedule: those of two never meet."""
STATUSES = ("placed", "paid", "shipped", "cancelled", "refunded")

Request = tuple[str, str, dict[str, object] | None]
"""Method, path and body."""


class Trade:
    """The requests of one schedule: all ids are named, so the same seed makes the same rows."""

    def __init__(self, number: int, chance: random.Random) -> None:
        """Make up the trade of schedule ``number``."""
        self._chance = chance
        self._next = 1 + (number + 1) * IDS_EACH
        self._clients: list[int] = []
        self._orders: dict[int, int] = {}

    def _id(self) -> int:
        self._next += 1
        return self._next

    def requests(self) -> Iterator[Request]:
        """Yield the requests in order; each one fits what those before it left behind."""
        for _ in range(CLIENTS):
            client = self._id()
            self._clients.append(client)
            yield self._client(client)
            for _ in range(self._chance.randrange(ORDERS_MAX)):
                yield self._order(client)
        for _ in range(CHANGES):
            yield from self._change()

    def _client(self, client: int) -> Request:
        return "POST", "/api/clients", {"id": client, "first_name": f"C{client}", "synthetic": True}

    def _order(self, client: int) -> Request:
        order = self._id()
        self._orders[order] = client
        when = datetime.now(UTC) - timedelta(days=self._chance.uniform(0, 220))
        body = {
            "id": order,
            "client_id": client,
            "ordered_at": when.isoformat(),
            "amount": f"{self._chance.randrange(0, 20_000) / 100:.2f}",
            "status": self._chance.choice(STATUSES),
        }
        return "POST", "/api/orders", body

    def _change(self) -> Iterator[Request]:
        kind = self._chance.choices(
            ("order", "status", "amount", "date", "move", "delete", "erase", "again"),
            weights=(6, 4, 3, 3, 3, 3, 1, 1),
        )[0]
        if kind == "order" or not self._orders:
            yield self._order(self._chance.choice(self._clients))
            return
        order = self._chance.choice(sorted(self._orders))
        path = f"/api/orders/{order}"
        match kind:
            case "status":
                yield "PATCH", path, {"status": self._chance.choice(STATUSES)}
            case "amount":
                yield "PATCH", path, {"amount": f"{self._chance.randrange(1, 9_000) / 100:.2f}"}
            case "date":
                when = datetime.now(UTC) - timedelta(days=self._chance.uniform(0, 220))
                yield "PATCH", path, {"ordered_at": when.isoformat()}
            case "move":
                self._orders[order] = self._chance.choice(self._clients)
                yield "PATCH", path, {"client_id": self._orders[order]}
            case "delete":
                del self._orders[order]
                yield "DELETE", path, None
            case _:
                yield from self._erase(comes_back=kind == "again")

    def _erase(self, *, comes_back: bool) -> Iterator[Request]:
        client = self._chance.choice(self._clients)
        self._orders = {order: own for order, own in self._orders.items() if own != client}
        yield "DELETE", f"/api/clients/{client}", None
        if comes_back or len(self._clients) == 1:
            yield self._client(client)
            yield self._order(client)
            yield self._order(client)
        else:
            self._clients.remove(client)


def send(http: httpx.Client, request: Request) -> None:
    """Send a request that must be accepted."""
    method, path, body = request
    answer = http.request(method, path, json=body)
    assert answer.is_success, f"{request}: {answer.status_code} {answer.text}"
