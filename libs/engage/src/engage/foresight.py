"""What a replay would send, counted before anybody asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engage.frame import BadInput, NotThere
from engage.postgres import connect
from engage.replay import check
from engage.settings import Settings

CLIENTS_MAX = 10_000
"""So many clients go in one replay."""
ORDERED = """
    SELECT DISTINCT client_id FROM orders WHERE ordered_at >= $1 AND ordered_at < $2
    ORDER BY client_id LIMIT $3
"""
ORDERS_OF = "SELECT count(*) FROM orders WHERE client_id = ANY($1)"


@dataclass(frozen=True)
class Foreseen:
    """Whose rows would be sent, and how many orders they have now."""

    client_ids: list[int]
    orders: int


def who_ordered(settings: Settings, begin: datetime, end: datetime) -> list[int]:
    """Return the ids of those who have an order from ``begin`` to before ``end``, in order.

    Raises NotThere when there is none; BadInput when they are more than one replay takes;
    Misconfigured, Transient.
    """
    with connect(settings.database) as database:
        found = [row["client_id"] for row in database.rows(ORDERED, begin, end, CLIENTS_MAX + 1)]
    if not found:
        raise NotThere("no client has an order in that time")
    if len(found) > CLIENTS_MAX:
        raise BadInput(
            f"more than {CLIENTS_MAX:,} clients have an order in that time: take a shorter one, "
            "or a backfill of orders"
        )
    return found


def foresee(settings: Settings, clients: Sequence[int]) -> Foreseen:
    """Count what a replay of these clients would send now; nothing is changed.

    Raises NotThere when a client is not in Postgres; Misconfigured, Transient.
    """
    chosen = sorted(set(clients))
    check(settings, chosen)
    with connect(settings.database) as database:
        return Foreseen(chosen, int(database.value(ORDERS_OF, chosen)))
