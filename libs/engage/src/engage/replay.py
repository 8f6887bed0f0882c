"""Replay: chosen clients' rows, as they stand in Postgres now, are sent once more."""

from collections.abc import Sequence
from typing import Any

from engage.broker import Broker
from engage.frame import BadInput, NotThere
from engage.lane import RATE_PER_S, Lane
from engage.postgres import connect
from engage.progress import Watcher
from engage.rows import Shop, chunks
from engage.settings import Settings
from engage.waiting import scorers, until_passed

NAMED_MAX = 10
"""So many unknown clients are named; the others are counted."""


def replay(
    settings: Settings,
    clients: Sequence[int] | None,
    watcher: Watcher,
    *,
    rate_per_s: int = RATE_PER_S,
    wait: bool = True,
) -> dict[str, Any]:
    """Send the present rows of these clients (None: of all) to the backfill lane.

    Returns the numbers of clients, orders and records. Raises BadInput before anything is written
    when a client is not in Postgres; Misconfigured, Transient, Failed.
    """
    broker = Broker(settings.kafka)
    with connect(settings.database) as database:
        shop = Shop(database)
        chosen = shop.all_client_ids() if clients is None else sorted(set(clients))
        if clients is not None:
            _check(shop, chosen)
        orders = 0
        watcher.step("clients sent", len(chosen))
        with Lane(broker, settings.topic_partitions, rate_per_s) as lane:
            for some in chunks(chosen):
                for client in shop.clients(some).values():
                    lane.send(client)
                for order in shop.orders_of(some):
                    lane.send(order)
                    orders += 1
                watcher.advance(len(some))
    if wait and lane.ends:
        for group in scorers(broker):
            until_passed(broker, group, lane.ends, watcher)
    return {
        "clients": len(chosen),
        "orders": orders,
        "records": lane.written,
        "scored": wait,
    }


def check(settings: Settings, clients: Sequence[int]) -> None:
    """Make sure that Postgres has all of these clients; raises BadInput, Misconfigured."""
    with connect(settings.database) as database:
        _check(Shop(database), sorted(set(clients)))


def _check(shop: Shop, chosen: Sequence[int]) -> None:
    if not chosen:
        raise BadInput("no client was named")
    missing: list[int] = []
    for some in chunks(chosen):
        there = shop.clients(some)
        missing += [one for one in some if one not in there]
    if missing:
        named = ", ".join(map(str, missing[:NAMED_MAX]))
        more = f" and {len(missing) - NAMED_MAX:,} more" if len(missing) > NAMED_MAX else ""
        raise NotThere(f"not in Postgres: client {named}{more}; nothing was sent")
