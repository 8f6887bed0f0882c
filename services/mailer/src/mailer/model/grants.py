"""Grants of model calls, counted in Postgres so that all mailers share one budget.

A call's row is its grant. With limits, counting and writing it is one transaction under one lock;
without, it is one plain insert for all that begin at about the same time. Time is the database's
clock, the one that all mailers share.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from common.logs import Logger
from mailer.database import Pool, Source, persistently, saying_away
from mailer.model import calls
from mailer.model.budget import GRANT_S, WINDOW_S, Limits, Need, Past, Spent, day_left, minute_left
from mailer.model.calls import Asking, Beginning
from mailer.together import Together

LOCK = "SELECT pg_advisory_xact_lock(7405, 1)"
SETTLED_AFTER = timedelta(minutes=10)
"""Calls older than this are summed up once, not with every call."""
SUM_UP_EVERY_S = 60.0
BEGIN_TOGETHER_S = 0.01
"""A call without limits waits so long at most for others that begin: it takes a second or more."""
BEGIN_TOGETHER = 50

RECENT = f"""
    SELECT extract(epoch FROM statement_timestamp() - at)::float8 AS age_s,
           {calls.TOKENS_USED} AS tokens
    FROM model_calls
    WHERE at > statement_timestamp() - make_interval(secs => $1) AND outcome <> '{calls.NOT_SENT}'
"""  # noqa: S608 - constants
TODAY = """
    SELECT statement_timestamp() AS now,
           date_trunc('day', statement_timestamp(), 'UTC') AS began,
           date_trunc('day', statement_timestamp(), 'UTC') + interval '1 day' AS ends
"""
COST = f"""
    SELECT coalesce(sum({calls.COST}), 0) FROM model_calls WHERE at >= $1 AND at < $2
"""  # noqa: S608 - constants


class Grant(NamedTuple):
    """One call may begin, before a time of the monotonic clock where there is a limit."""

    call_id: int
    send_before: float | None


@dataclass
class _Settled:
    """The cost of a day's calls up to a moment; they were all over, or are counted as if dear."""

    day: datetime
    upto: datetime
    usd: Decimal


class Grants:
    """Begins calls, as many as the limits allow."""

    def __init__(self, pool: Pool, limits: Limits, asking: Asking, log: Logger) -> None:
        """Count in ``pool``'s database; note in each row who is asked."""
        self._pool = pool
        self._limits = limits
        self._asking = asking
        self._retrying = saying_away(log)
        self._settled: _Settled | None = None
        self._summed_at = 0.0
        self._beginnings = Together(
            self._note, name="note calls", wait_s=BEGIN_TOGETHER_S, most=BEGIN_TOGETHER
        )

    @property
    def limits(self) -> Limits:
        """What may be used."""
        return self._limits

    async def room(self, need: Need) -> int | Spent:
        """Say how many calls of ``need`` would be granted now; nothing is kept for the asker."""
        return await persistently(lambda: self._room(need), self._retrying)

    async def begin(self, episode_id: str, attempt: int, need: Need) -> Grant | Spent:
        """Note that a call begins, if it may: even one whose process dies is on record."""
        one = Beginning(episode_id, attempt, need)
        if not self._limits.any:
            return Grant(await self._beginnings.do(one), None)
        return await persistently(lambda: self._begin(one), self._retrying)

    async def give_up(self, call_id: int) -> None:
        """Note that a granted call was never made."""
        await persistently(lambda: calls.withdraw(self._pool, call_id), self._retrying)

    async def _room(self, need: Need) -> int | Spent:
        await self._sum_up()
        return await self._left(self._pool, need)

    async def _note(self, beginnings: Sequence[Beginning]) -> list[int]:
        return await persistently(
            lambda: calls.begin(self._pool, beginnings, self._asking), self._retrying
        )

    async def _begin(self, one: Beginning) -> Grant | Spent:
        async with self._pool.acquire() as conn, conn.transaction():
            await conn.execute(LOCK)
            # The row's time is read after this: the grant runs out early rather than late.
            locked_at = time.monotonic()
            left = await self._left(conn, one.need)
            if isinstance(left, Spent):
                return left
            (call_id,) = await calls.begin(conn, [one], self._asking)
        return Grant(call_id, locked_at + GRANT_S)

    async def _left(self, source: Source, need: Need) -> int | Spent:
        """Return how many calls fit: the least that any limit leaves."""
        found: int | Spent
        limits = self._limits
        rows = []
        if limits.requests_per_minute is not None or limits.tokens_per_minute is not None:
            rows = await source.fetch(RECENT, WINDOW_S)
        found = minute_left(limits, [Past(row["age_s"], row["tokens"]) for row in rows], need)
        if limits.cost_per_day_usd is None or isinstance(found, Spent):
            return found
        (today,) = await source.fetch(TODAY)
        spent, since = Decimal(0), today["began"]
        if self._settled is not None and self._settled.day == today["began"]:
            spent, since = self._settled.usd, self._settled.upto
        spent += await source.fetchval(COST, since, today["ends"])
        seconds = (today["ends"] - today["now"]).total_seconds()
        by_cost = day_left(limits.cost_per_day_usd, spent, need, seconds)
        return by_cost if isinstance(by_cost, Spent) else min(found, by_cost)

    async def _sum_up(self) -> None:
        """Sum up the day's older calls, so that each grant counts the newest alone.

        One that is still open then counts with what was reserved for it, which is never too little.
        """
        if self._limits.cost_per_day_usd is None:
            return
        if time.monotonic() - self._summed_at < SUM_UP_EVERY_S:
            return
        (today,) = await self._pool.fetch(TODAY)
        upto = max(today["began"], today["now"] - SETTLED_AFTER)
        usd = await self._pool.fetchval(COST, today["began"], upto)
        self._settled = _Settled(today["began"], upto, usd)
        self._summed_at = time.monotonic()
