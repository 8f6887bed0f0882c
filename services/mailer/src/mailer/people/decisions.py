"""People's decisions: each applied once, in the order in which they were made, or refused."""

import asyncio
from collections.abc import Callable

import asyncpg
from pydantic import SecretStr

from common.health import Heartbeat
from common.logs import Logger
from mailer.database import Pool, persistently, saying_away
from mailer.episodes import ledger
from mailer.episodes.announcements import listen, rest
from mailer.people.editing import Refusal
from mailer.people.judgement import Decision, Judgement

CHANNEL = "decisions"
POLL_S = 5.0
"""How soon a decision is found whose announcement was lost."""
BATCH = 100


class Decisions:
    """Applies decisions and notes what came of them, for everybody to see."""

    def __init__(
        self,
        pool: Pool,
        judgement: Judgement,
        on_work: Callable[[], None],
        beat: Heartbeat,
        log: Logger,
    ) -> None:
        """Call ``on_work`` whenever a decision may have made work."""
        self._pool = pool
        self._judgement = judgement
        self._on_work = on_work
        self._beat = beat
        self._log = log
        self._retrying = saying_away(log)
        self._announced = asyncio.Event()

    async def run(self, url: SecretStr, stopping: asyncio.Event) -> None:
        """Apply what is there, then what is announced, until told to stop."""
        listening = asyncio.create_task(listen(url, CHANNEL, self._heard, self._retrying))
        try:
            while not stopping.is_set():
                self._beat.beat()
                self._announced.clear()
                while await persistently(self.apply_some, self._retrying) == BATCH:
                    self._beat.beat()
                    if stopping.is_set():
                        return
                await rest(POLL_S, listening, self._announced, stopping)
        finally:
            listening.cancel()

    def _heard(self, _payload: str) -> None:
        self._announced.set()

    async def apply_some(self) -> int:
        """Apply the oldest decisions without an outcome; return how many there were."""
        rows = await self._pool.fetch(
            "SELECT d.id, d.episode_id, d.action FROM decisions d"
            " WHERE NOT EXISTS (SELECT FROM decision_outcomes o WHERE o.decision_id = d.id)"
            " ORDER BY d.id LIMIT $1",
            BATCH,
        )
        for row in rows:
            await self._apply(row)
        if rows:
            self._on_work()
        return len(rows)

    async def _apply(self, known: asyncpg.Record) -> None:
        """Apply one decision and note its outcome in one transaction."""
        async with self._pool.acquire() as conn, conn.transaction():
            # The client first, as everywhere; its orders and its erasure wait meanwhile.
            await conn.execute(
                "SELECT lock_client(client_id) FROM episodes WHERE id = $1", known["episode_id"]
            )
            row = await ledger.lock(conn, known["episode_id"])
            # Only now, since an erasure may have blanked what was decided.
            decision = await conn.fetchrow(
                "SELECT d.* FROM decisions d WHERE d.id = $1 AND NOT EXISTS"
                " (SELECT FROM decision_outcomes o WHERE o.decision_id = d.id)",
                known["id"],
            )
            if decision is None:
                return  # another mailer was faster
            outcome, difference = "applied", None
            try:
                reason, difference = await self._judgement.apply(conn, row, Decision.of(decision))
            except Refusal as refusal:
                outcome, reason = "refused", str(refusal)
            await conn.execute(
                "INSERT INTO decision_outcomes (decision_id, outcome, reason, difference)"
                " VALUES ($1, $2, $3, $4) ON CONFLICT (decision_id) DO NOTHING",
                known["id"],
                outcome,
                reason,
                difference,
            )
        self._log.info("decision", decision=known["id"], action=known["action"], outcome=outcome)
