"""The edge table: what becomes of odd clients, odd orders and odd amounts in the running system."""

from datetime import datetime, timedelta
from typing import NamedTuple

Order = tuple[float, str, str]
"""How many days ago (negative: ahead), amount, status."""

FIRST_CLIENT = 900_001
PAID = "paid"


class Edge(NamedTuple):
    """One client, the orders to enter, and the state that must be shown."""

    name: str
    state: str
    orders: tuple[Order, ...] = ()
    dates: tuple[str, ...] = ()
    """Orders of 20.00 at these very moments."""


EDGES = (
    Edge("new client, no orders", "no_orders"),
    Edge("one order", "one_order", ((10, "20.00", PAID),)),
    Edge("two orders on one day", "one_order", ((10, "20.00", PAID), (10, "5.00", PAID))),
    Edge("two orders, both fresh", "active", ((30, "20.00", PAID), (0, "20.00", PAID))),
    Edge("two orders, long ago", "at_risk", ((150, "20.00", PAID), (120, "20.00", PAID))),
    Edge("silent for too long", "lapsed", ((400, "20.00", PAID), (190, "20.00", PAID))),
    Edge("one order, too long ago", "lapsed", ((190, "20.00", PAID),)),
    Edge("a future order alone", "no_orders", ((-30, "20.00", PAID),)),
    Edge("an order of tomorrow", "one_order", ((-1, "20.00", PAID),)),
    Edge("a future order besides", "one_order", ((10, "20.00", PAID), (-30, "20.00", PAID))),
    Edge("a refund beyond spend", "one_order", ((10, "20.00", PAID), (5, "-90.00", PAID))),
    Edge("cancelled and refunded", "no_orders", ((9, "20.00", "cancelled"), (8, "5", "refunded"))),
    Edge("an amount of 0", "no_orders", ((10, "0.00", PAID),)),
    Edge("the smallest amount", "one_order", ((10, "0.01", PAID),)),
    Edge("amounts of 1e12", "active", ((30, "1000000000000", PAID), (2, "1000000000000.00", PAID))),
    Edge("the largest amount", "one_order", ((10, "99999999999999.99", PAID),)),
    Edge("an order of 1900", "lapsed", dates=("1900-01-01T00:00:00Z",)),
    Edge("of 1900, and a fresh one", "active", ((2, "20.00", PAID),), ("1900-01-01T00:00:00Z",)),
    Edge("an order of the year 1", "lapsed", dates=("0001-01-01T00:00:00Z",)),
    Edge("an order of 9999", "no_orders", dates=("9999-12-31T23:59:59.999999Z",)),
    Edge("of 9999, and a fresh one", "one_order", ((2, "20.00", PAID),), ("9999-12-31T00:00:00Z",)),
    Edge("the last second of a day", "lapsed", dates=("2020-02-29T23:59:59.999999Z",)),
)

REFUSED = ("NaN", "Infinity", "1e12", "1e15", "0.001", "-1e15", "", "twenty")
"""Amounts that the API answers with 422."""
REFUSED_BY_POSTGRES = ("'NaN'", "'Infinity'", "1e14")
"""Amounts that the table refuses, whoever writes them."""
PARKED = ("0044-03-15 00:00:00+00 BC", "10000-01-01 00:00:00+00", "294276-12-31 00:00:00+00")
"""Moments that Postgres takes and no event can name: a dead letter each."""


def rows(now: datetime) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Return all clients and orders of the table."""
    clients: list[dict[str, object]] = []
    orders: list[dict[str, object]] = []
    for client, edge in enumerate(EDGES, FIRST_CLIENT):
        clients.append({"id": client, "first_name": "Edge", "synthetic": True})
        dated = [
            *(((now - timedelta(days=ago)).isoformat(), *rest) for ago, *rest in edge.orders),
            *((moment, "20.00", PAID) for moment in edge.dates),
        ]
        orders += [
            {"client_id": client, "ordered_at": when, "amount": amount, "status": status}
            for when, amount, status in dated
        ]
    return clients, orders


def states() -> dict[int, str]:
    """Return the state that each client of the table must have."""
    return {client: edge.state for client, edge in enumerate(EDGES, FIRST_CLIENT)}
