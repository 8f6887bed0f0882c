"""Rows say in which trace they were written, so that it goes on with what follows from them."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from common import tracing

STAMP = text("SELECT set_config('engage.traceparent', :traceparent, true)")
"""Until the end of the transaction; a trigger puts it into the rows of clients and orders."""


async def stamp(db: AsyncConnection) -> None:
    """Have the rows that this transaction writes go on with the current trace, if there is one.

    Where no trace is recorded, nobody pays for another's: a round trip here, bytes in the row, the
    relay's longer way.
    """
    traceparent = tracing.sampled() if tracing.recording() else None
    if traceparent is not None:
        await db.execute(STAMP, {"traceparent": traceparent})
