"""Reads the orders that count from Postgres, summed to order-days there, in one read-only look."""

import asyncio
from array import array
from zoneinfo import ZoneInfo

import asyncpg
import numpy as np

from common.errors import Misconfigured, Transient
from common.score.ledger import COUNTING_STATUSES
from fitting.history import History, history_of_numbers

CONNECT_LIMIT_S = 10.0
PREFETCH = 20_000
ORDER_DAYS = """
    SELECT client_id,
           (ordered_at AT TIME ZONE $1)::date - date '1970-01-01' AS day,
           sum((amount * 100)::bigint)::bigint AS cents
    FROM orders
    WHERE amount > 0 AND status = ANY ($2)
    GROUP BY 1, 2
"""


def read(url: str, zone: ZoneInfo) -> History:
    """Return the history in a database whose role may read ``orders``.

    Raises Misconfigured where nobody answers, the role may not, or there are no orders; Transient
    where the connection breaks on the way.
    """
    return asyncio.run(_read(url, zone))


async def _read(url: str, zone: ZoneInfo) -> History:
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_LIMIT_S)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
        raise Misconfigured(f"the database cannot be reached: {_say(error)}") from None
    client, day, cents = array("q"), array("q"), array("q")
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            statuses = sorted(COUNTING_STATUSES)
            rows = connection.cursor(ORDER_DAYS, str(zone), statuses, prefetch=PREFETCH)
            async for row in rows:
                client.append(row[0])
                day.append(row[1])
                cents.append(row[2])
    except (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedTableError) as error:
        raise Misconfigured(f"the orders cannot be read: {_say(error)}") from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Transient(f"reading the orders broke off: {_say(error)}") from error
    finally:
        await connection.close(timeout=CONNECT_LIMIT_S)
    if not client:
        raise Misconfigured("the table orders holds no order that counts")
    return history_of_numbers(*(np.frombuffer(column, np.int64) for column in (client, day, cents)))


def _say(error: Exception) -> str:
    """Return an error's first line, never the URL with its password."""
    if isinstance(error, ValueError):
        return "the URL is none of postgresql://role:password@host:port/name"
    return (str(error) or type(error).__name__).splitlines()[0]
