"""The SQL statements behind a client's curve: the rules in force and the orders as they are."""

from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from client_api.problems import NotFound
from client_api.store.orders import TOLD
from client_api.store.reads import Reads
from common.policy import ShopPolicy
from common.score.calendar import calendar_of
from common.score.ledger import Ledger, entry_of_order

FRAME = """
    SELECT v.as_of, CAST(p.document AS text) AS document FROM clients c
    LEFT JOIN score_serving v ON true
    LEFT JOIN LATERAL (SELECT document FROM policies ORDER BY id DESC LIMIT 1) p ON true
    WHERE c.id = $1
"""
ORDERS = f"""
    SELECT id, version, ordered_at, CAST(amount * 100 AS bigint) AS cents, status
    FROM orders WHERE client_id = $1 AND {TOLD}
"""


class Known(NamedTuple):
    """All that a curve follows from."""

    as_of: date
    policy: ShopPolicy
    ledger: Ledger


async def read(reads: Reads, client_id: int, zone: ZoneInfo) -> Known:
    """Return the served day, the rules in force and the client's ledger.

    Raises NotFound without the client, or before the first day is served.
    """
    frames = await reads.rows(FRAME, [client_id])
    if not frames:
        raise NotFound(f"there is no client {client_id}")
    (frame,) = frames
    if frame["as_of"] is None or frame["document"] is None:
        raise NotFound("no day is being served yet")
    day_of = calendar_of(zone).day
    ledger = Ledger()
    # A row is the newest image of its order, so nothing is left to merge.
    ledger.orders = {
        order: entry_of_order(version, day_of(ordered_at), cents, status)
        for order, version, ordered_at, cents, status in await reads.rows(ORDERS, [client_id])
    }
    return Known(frame["as_of"], ShopPolicy.model_validate_json(frame["document"]), ledger)
