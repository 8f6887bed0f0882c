"""The release of held-back episodes: a few at a time, at the policy's rate, never in a burst.

What is deferred becomes due in business time; what a person released is due at once. The rate is
wall time and counted from the history under a lock, so all mailers together keep to it.
"""

import asyncio
from collections.abc import Callable
from math import ceil

import asyncpg

from common.health import Heartbeat
from common.logs import Logger
from mailer.database import Connection, Pool, persistently, saying_away
from mailer.episodes import ledger
from mailer.episodes.ledger import MAILER, Change
from mailer.episodes.policies import Policies
from mailer.episodes.standing import Days
from mailer.episodes.states import State

TURN_S = 1.0
MINUTE_S = 60
LOCK = 0x72656C65617365
"""The advisory lock of whoever releases: "release" in ASCII."""

TIME_HAS_COME = "its time has come"

RELEASED = """
    SELECT count(*) AS minute,
           count(*) FILTER (WHERE at > clock_timestamp() - make_interval(secs => $2)) AS turn
    FROM episode_history
    WHERE at > clock_timestamp() - make_interval(secs => $1) AND to_state = 'pending'
      AND (from_state IN ('held', 'deferred') OR (from_state = 'recovered' AND actor <> 'scorer'))
"""
DUE = """
    SELECT id, state, reason, actor FROM episodes
    WHERE until <= $1 AND state IN ('held', 'deferred', 'recovered')
    ORDER BY value_at_risk DESC, id LIMIT $2
    FOR UPDATE SKIP LOCKED
"""


class Release:
    """Makes pending what is due, the most valuable first."""

    def __init__(
        self,
        pool: Pool,
        policies: Policies,
        days: Days,
        on_pending: Callable[[], None],
        *,
        beat: Heartbeat,
        log: Logger,
    ) -> None:
        """Release by the policy in force; call ``on_pending`` whenever there is work."""
        self._pool = pool
        self._policies = policies
        self._days = days
        self._on_pending = on_pending
        self._beat = beat
        self._log = log
        self._retrying = saying_away(log)
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that something may be due."""
        self._woken.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Release in turns until told to stop."""
        stop = asyncio.create_task(stopping.wait())
        try:
            while not stopping.is_set():
                self._beat.beat()
                self._woken.clear()
                released = await persistently(self.turn, self._retrying)
                if released:
                    self._on_pending()
                    self._log.info("released", episodes=released)
                woken = asyncio.create_task(self._woken.wait())
                await asyncio.wait(
                    {woken, stop}, timeout=TURN_S, return_when=asyncio.FIRST_COMPLETED
                )
                woken.cancel()
        finally:
            stop.cancel()

    async def turn(self) -> int:
        """Release what the rate leaves room for; return how many episodes were released."""
        async with self._pool.acquire() as conn, conn.transaction():
            if not await conn.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK):
                return 0  # another mailer's turn
            per_minute = (await self._policies.current(conn)).emails.release_per_minute
            (done,) = await conn.fetch(RELEASED, MINUTE_S, TURN_S)
            room = min(per_minute - done["minute"], ceil(per_minute / MINUTE_S) - done["turn"])
            if room <= 0:
                return 0
            due = await conn.fetch(DUE, self._days.now(), room)
            await _go_on(conn, due)
            return len(due)


async def _go_on(conn: Connection, due: list[asyncpg.Record]) -> None:
    """Move each to pending: a person's release is that person's act."""
    groups: dict[Change, list[str]] = {}
    for row in due:
        origin: State = row["state"]
        reason, actor = row["reason"], row["actor"]
        if origin == "deferred":
            reason, actor = TIME_HAS_COME, MAILER
        change = Change(origin, "pending", reason, actor, afresh=origin != "deferred")
        groups.setdefault(change, []).append(row["id"])
    for change, ids in groups.items():
        await ledger.move(conn, ids, change)
