"""Gathers the books of a run: the ledger as Postgres holds it, and both journals from outside."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg

from tests.chaos.emails.books import Books, Doc
from tests.chaos.emails.journal import Journal
from tests.chaos.emails.model import Asked
from tests.chaos.emails.plan import ORDER_IDS_EACH
from tests.chaos.emails.sink import Taken

COMMITTED = "extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 AS committed"
QUERIES = {
    "episodes": "SELECT id, client_id, state, reason FROM episodes ORDER BY id",
    "history": f"""
        SELECT id, episode_id, from_state, to_state, reason, {COMMITTED} FROM episode_history
        ORDER BY id""",
    "emails": """
        SELECT episode_id, client_id, subject, body, facts_used::text, generation_id FROM emails
        ORDER BY episode_id""",
    "calls": "SELECT id, episode_id, outcome, generation_id FROM model_calls ORDER BY id",
    "decisions": """
        SELECT d.id, d.episode_id, d.action, o.outcome FROM decisions d
        LEFT JOIN decision_outcomes o ON o.decision_id = d.id ORDER BY d.id""",
    "rows": f"""
        SELECT id AS client, CASE WHEN NOT consent THEN 'withdraw' END AS act, {COMMITTED}
        FROM clients
        UNION ALL
        SELECT client_id, CASE WHEN id % {ORDER_IDS_EACH} = {ORDER_IDS_EACH - 1} THEN 'order' END,
               {COMMITTED}
        FROM orders
        UNION ALL
        SELECT c.id, 'suppress', extract(epoch FROM pg_xact_commit_timestamp(s.xmin))::float8
        FROM suppressions s JOIN clients c ON address_hash(c.email) = s.address_hash
        ORDER BY 1, 2""",
}


class Evidence:
    """Where the books of one running stack are found."""

    def __init__(self, url: str, journal: Journal, asked: Asked, taken: Taken | None) -> None:
        """Read Postgres at ``url`` as its owner; ``taken`` is the mail sink's journal, if any."""
        self._url = url
        self._journal = journal
        self._asked = asked
        self._taken = taken

    def gather(self) -> Books:
        """Return the books as of now; the ledger is one snapshot. Raises Away."""
        entries = self._journal.entries
        try:
            # In a thread of its own: an interrupt would leave a loop of the main thread hanging.
            with ThreadPoolExecutor(1) as pool:
                ledger = pool.submit(asyncio.run, self._ledger()).result()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise Away(str(error)) from error
        return Books(
            delivery=self._taken is not None,
            journal=entries,
            prompts=self._asked.prompts(),
            messages=self._taken.messages() if self._taken else [],
            **ledger,
        )

    async def _ledger(self) -> dict[str, list[Doc]]:
        connection = await asyncpg.connect(self._url, timeout=10, command_timeout=30)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return {
                    name: [_plain(row) for row in await connection.fetch(query)]
                    for name, query in QUERIES.items()
                }
        finally:
            await connection.close()


class Away(Exception):
    """Postgres cannot be asked now."""


def _plain(row: Any) -> dict[str, Any]:
    return dict(row)
