"""The sweep after clients' wishes: consent withdrawn, address suppressed, client gone.

Whoever works on an episode looks at its client anyway; this ends those on which nobody works. A
wish is announced with its client's id. The look at all episodes, at start and from time to time,
finds what was announced to nobody.
"""

import asyncio

import asyncpg
from pydantic import SecretStr

from common.health import Heartbeat
from common.logs import Logger
from mailer.database import Connection, Pool, persistently, saying_away
from mailer.episodes import emails, ledger
from mailer.episodes.announcements import listen, rest
from mailer.episodes.deferral import Hindrance
from mailer.episodes.ledger import Change
from mailer.episodes.policies import Policies
from mailer.episodes.standing import CLIENT_GONE, Days, standing_of
from mailer.episodes.states import WITHDRAWABLE

CHANNEL = "wishes"
BEAT_S = 5.0
LOOK_S = 60.0
"""How soon a wish is found whose announcement was lost."""
HEARD_MAX = 1000
"""So many announcements at once are worth a look at all episodes instead."""
CHUNK = 1000

# `writing` is settled by the worker that holds it, when its text comes.
SWEPT = sorted(WITHDRAWABLE - {"writing"})

UNWILLING = """
    WITH unwilling AS MATERIALIZED (
        SELECT id FROM clients WHERE NOT consent UNION SELECT suppressed_clients()
    )
    SELECT DISTINCT e.client_id FROM episodes e
    WHERE e.state = ANY ($1) AND e.client_id > $2 AND (
        EXISTS (SELECT FROM unwilling u WHERE u.id = e.client_id)
        OR NOT EXISTS (SELECT FROM clients c WHERE c.id = e.client_id))
    ORDER BY e.client_id LIMIT $3
"""
OPEN = "SELECT id FROM episodes WHERE client_id = $1 AND state = ANY ($2) ORDER BY id"


class Wishes:
    """Suppresses the open episodes of clients who may not be written to."""

    def __init__(
        self, pool: Pool, policies: Policies, days: Days, beat: Heartbeat, log: Logger
    ) -> None:
        """Look at episodes through ``pool``."""
        self._pool = pool
        self._policies = policies
        self._days = days
        self._beat = beat
        self._log = log
        self._retrying = saying_away(log)
        self._announced = asyncio.Event()
        self._heard: set[int] = set()
        self._look_at_all = True

    async def run(self, url: SecretStr, stopping: asyncio.Event) -> None:
        """Look at everything, then at what is announced, until told to stop."""
        listening = asyncio.create_task(listen(url, CHANNEL, self._hear, self._retrying))
        loop = asyncio.get_running_loop()
        looked = -LOOK_S
        try:
            while not stopping.is_set():
                self._beat.beat()
                self._announced.clear()
                if self._look_at_all or loop.time() - looked >= LOOK_S:
                    self._look_at_all = False
                    await self.sweep_all(stopping)
                    looked = loop.time()
                while self._heard and not stopping.is_set():
                    await self._sweep(self._heard.pop())
                await rest(BEAT_S, listening, self._announced, stopping)
        finally:
            listening.cancel()

    def _hear(self, payload: str) -> None:
        if payload.isdigit() and len(self._heard) < HEARD_MAX:
            self._heard.add(int(payload))
        else:
            self._look_at_all = True
        self._announced.set()

    async def sweep_all(self, stopping: asyncio.Event) -> None:
        """Go through all clients that have open episodes and may not be written to, in chunks."""
        last = 0
        while not stopping.is_set():
            self._beat.beat()
            clients = await persistently(lambda: self._next(last), self._retrying)  # noqa: B023
            for client_id in clients:
                await self._sweep(client_id)
            if len(clients) < CHUNK:
                return
            last = clients[-1]

    async def _next(self, after: int) -> list[int]:
        rows = await self._pool.fetch(UNWILLING, SWEPT, after, CHUNK)
        return [row["client_id"] for row in rows]

    async def _sweep(self, client_id: int) -> None:
        ended = await persistently(lambda: self._end_those_of(client_id), self._retrying)
        if ended:
            self._log.info("wishes followed", suppressed=ended)

    async def _end_those_of(self, client_id: int) -> int:
        """End one client's open episodes if it may not be written to; return how many ended."""
        async with self._pool.acquire() as conn, conn.transaction():
            # The client first, as everywhere: one order of locks, no deadlock.
            await conn.execute("SELECT lock_client($1)", client_id)
            found = await conn.fetch(OPEN, client_id, SWEPT)
            return sum([await self._end(conn, row["id"]) for row in found])

    async def _end(self, conn: Connection, episode_id: str) -> bool:
        row: asyncpg.Record | None = await ledger.lock(conn, episode_id)
        if row is None or row["state"] not in SWEPT:
            return False
        standing = await standing_of(conn, row, self._policies, self._days)
        why: Hindrance | None = standing.hindrance
        if why is None or why.target != "suppressed":
            return False
        await ledger.move_one(conn, episode_id, Change(row["state"], why.target, why.reason))
        if why.reason == CLIENT_GONE:
            await emails.blank(conn, [episode_id])
        return True
