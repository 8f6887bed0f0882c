"""What the lanes know and Postgres no longer has: its removal is sent, and nothing else's.

A removal takes a fresh version, above all images of its row. A row that is created meanwhile must
win over it, although its version may be the older one: versions are taken before rows are visible.
So: take the versions; wait until every transaction that was open then has ended; only then look
whether the rows are gone; and look once more when the removals are written. What came back in
between gets a newer version, by the database function made for it.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.events import ClientErased, OrderRemoved
from engage.frame import Failed
from engage.lane import Lane
from engage.postgres import Database
from engage.rows import Shop

OPEN_LIMIT_S = 60.0
POLL_S = 0.2

VERSIONS = "SELECT nextval('row_version') AS version FROM generate_series(1, $1::integer)"
# An id of its own, and so above that of every open writer. The snapshot's xmax is only one past the
# newest that has ended: the newest writer that has not would not be waited for.
BEGUN = "SELECT pg_current_xact_id()::text::bigint"
ENDED = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"


@dataclass(frozen=True)
class Suspects:
    """What may be gone: orders as (client id, order id), and clients."""

    orders: Sequence[tuple[int, int]] = ()
    clients: Sequence[int] = ()


@dataclass(frozen=True)
class Sent:
    """How many removals were sent, and how many rows came back meanwhile and were touched."""

    orders: int
    clients: int
    touched: int


def confirmed(database: Database, suspects: Suspects) -> Suspects:
    """Return those of the suspects that Postgres does not have at this moment."""
    shop = Shop(database)
    orders = shop.orders([order for _, order in suspects.orders])
    clients = shop.clients(suspects.clients)
    return Suspects(
        [
            (client, order)
            for client, order in suspects.orders
            if order not in orders or orders[order].client_id != client
        ],
        [client for client in suspects.clients if client not in clients],
    )


def remove(
    lane: Lane, database: Database, suspects: Suspects, headers: Mapping[str, str] | None = None
) -> Sent:
    """Send the removal of those suspects that are gone. Raises Failed before anything is sent when
    a transaction stays open too long; Transient.
    """
    asked = len(suspects.orders) + len(suspects.clients)
    if not asked:
        return Sent(0, 0, 0)
    versions = iter([row["version"] for row in database.rows(VERSIONS, asked)])
    wait_for_writers(database)
    gone = confirmed(database, suspects)
    elsewhere = Shop(database).orders([order for _, order in gone.orders])
    for client, order in gone.orders:
        lane.send(
            OrderRemoved(
                client_id=client,
                order_id=order,
                version=next(versions),
                reason="moved" if order in elsewhere else "deleted",
            ),
            headers,
        )
    for client in gone.clients:
        lane.send(ClientErased(client_id=client, version=next(versions)), headers)
    lane.flush()
    return Sent(len(gone.orders), len(gone.clients), mend(database, gone))


def mend(database: Database, sent: Suspects) -> int:
    """Give what came back a newer version than its removal's; return how many rows that were."""
    wait_for_writers(database)
    still = confirmed(database, sent)
    orders = sorted({o for _, o in sent.orders} - {o for _, o in still.orders})
    clients = sorted(set(sent.clients) - set(still.clients))
    touched: int = 0
    if clients:
        touched += database.value("SELECT touch_clients($1)", clients)
        orders += [order.order_id for order in Shop(database).orders_of(clients)]
    if orders:
        touched += database.value("SELECT touch_orders($1)", sorted(set(orders)))
    return touched


def wait_for_writers(database: Database) -> None:
    """Wait until every transaction that is open now has ended. Raises Failed, Transient."""
    begun: int = database.value(BEGUN)
    until = time.monotonic() + OPEN_LIMIT_S
    while database.value(ENDED) < begun:
        if time.monotonic() > until:
            raise Failed(
                f"a transaction in Postgres has been open for {OPEN_LIMIT_S:.0f} s: while it may "
                "bring rows back, no removal can be sent"
            )
        time.sleep(POLL_S)
