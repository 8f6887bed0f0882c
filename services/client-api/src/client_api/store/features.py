"""The stored features of all clients, or of a sample of them, as columns."""

from datetime import date
from typing import NamedTuple

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.problems import NotFound
from common.score.sweep import NO_DAY, FeatureColumns

FRAME = """
    SELECT v.as_of, (SELECT count(*) FROM score_features) AS clients,
           (SELECT count(*) FROM score_features WHERE order_days > 0) AS ordered
    FROM score_serving v
"""
# One row of arrays is decoded many times faster than as many rows. The hash draws a sample that has
# nothing to do with when a client came.
COLUMNS = """
    SELECT array_agg(frequency) AS frequency, array_agg(value) AS value,
           array_agg(order_days) AS n, array_agg(first_day - DATE '1970-01-01') AS first,
           array_agg(last_day - DATE '1970-01-01') AS last
    FROM score_features
    WHERE order_days > 0 AND (:part = 1 OR (hashint8(client_id) & 2147483647) % :part = 0)
"""


class Stock(NamedTuple):
    """What is known of the clients on the served day."""

    as_of: date
    clients: int
    """All that have features, also those without an order."""
    ordered: int
    """Those with at least one order-day."""
    columns: FeatureColumns
    """Of those with an order-day, all or a sample; crossing days are left out."""


async def read(db: AsyncConnection, most: int) -> Stock:
    """Return the features of all clients, or of a sample of about ``most``; raises NotFound."""
    await db.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    frame = (await db.execute(text(FRAME))).one()
    if frame.as_of is None:
        raise NotFound("no day is being served yet")
    part = -(-frame.ordered // most) or 1
    found = (await db.execute(text(COLUMNS), {"part": part})).one()
    n = np.array(found.n or [], dtype=np.int64)
    columns = FeatureColumns(
        np.array(found.frequency or [], dtype=np.float64),
        np.array(found.value or [], dtype=np.float64),
        n,
        np.array(found.first or [], dtype=np.int64),
        np.array(found.last or [], dtype=np.int64),
        np.full(n.size, NO_DAY, dtype=np.int64),
    )
    return Stock(frame.as_of, frame.clients, frame.ordered, columns)
