"""The SQL statement about what writing to clients did: both arms, counted in one pass."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from common.effect import Arm
from common.score.ledger import COUNTING_STATUSES


class Arms(NamedTuple):
    """Clients by the draw of their first episode, and how many are too fresh to be counted."""

    held_out: Arm
    not_held_out: Arm
    waiting: int


# Which orders count is the rule of common.score.ledger.counts: an amount above zero in one of its
# statuses. A test holds the two against each other. Orders that "wait for their day" there lie
# beyond a window that has ended.
ARMS = """
    WITH first AS (
        SELECT DISTINCT ON (client_id) client_id, id, began_as_of AS began
        FROM episodes ORDER BY client_id, began_as_of, id
    ), drawn AS (
        SELECT f.client_id, f.began, b.to_state = 'held_out' AS held_out,
               f.began > CAST(:ended AS timestamptz) AS waiting
        FROM first f JOIN episode_history b ON b.episode_id = f.id AND b.from_state IS NULL
    ), ordered AS (
        SELECT DISTINCT d.client_id
        FROM drawn d JOIN orders o ON o.client_id = d.client_id
        WHERE NOT d.waiting AND o.amount > 0 AND o.status = ANY(CAST(:statuses AS text[]))
          AND o.ordered_at > d.began AND o.ordered_at <= d.began + CAST(:frame AS interval)
    )
    SELECT d.held_out, count(*) FILTER (WHERE NOT d.waiting) AS clients,
           count(o.client_id) AS ordered, count(*) FILTER (WHERE d.waiting) AS waiting
    FROM drawn d LEFT JOIN ordered o ON o.client_id = d.client_id
    GROUP BY d.held_out
"""


async def arms(db: AsyncConnection, as_of: datetime, window: timedelta) -> Arms:
    """Count both arms: of episodes that began at least ``window`` before ``as_of``.

    A client belongs where its first episode was drawn, whatever became of it; it ordered when an
    order of it that counts lies within ``window`` after that beginning.
    """
    values = {"ended": as_of - window, "frame": window, "statuses": sorted(COUNTING_STATUSES)}
    found = {row.held_out: row for row in await db.execute(text(ARMS), values)}
    held_out, not_held_out = (
        Arm(found[drawn].clients, found[drawn].ordered) if drawn in found else Arm(0, 0)
        for drawn in (True, False)
    )
    return Arms(held_out, not_held_out, sum(row.waiting for row in found.values()))
