"""Episodes, emails and orders as the mailer and callers would have left them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg

from common.policy import EmailRules

NOW = datetime(2026, 6, 1, tzinfo=UTC)
WINDOW = timedelta(days=EmailRules().effect_days)
LONG_AGO = NOW - 2 * WINDOW


class Trial:
    """Episodes and orders, put into the tables as the mailer and callers put them."""

    def __init__(self, admin: asyncpg.Connection) -> None:
        self._admin = admin
        self._clients = 0

    async def clients(self, number: int) -> list[int]:
        """Make clients."""
        first = self._clients + 1
        self._clients += number
        await self._admin.execute(
            "INSERT INTO clients (id, first_name)"
            " SELECT g, 'Ada' FROM generate_series($1::int, $2) g",
            first,
            self._clients,
        )
        return list(range(first, self._clients + 1))

    async def begin(
        self,
        clients: Iterable[int],
        state: str,
        *,
        now_in: str = "",
        at: datetime = LONG_AGO,
        value: float = 1,
    ) -> list[str]:
        """Begin one episode each in a state; it is in ``now_in`` today."""
        day = (at.date() - datetime(1970, 1, 1, tzinfo=UTC).date()).days
        rows = [(f"{client}-{day}", client, now_in or state, at, value) for client in clients]
        await self._admin.executemany(
            "INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day,"
            " crossing_day, opened_as_of, score, value_at_risk, policy_version, event)"
            " VALUES ($1, $2, $3, 'because', 'scorer', '2026-01-01', '2026-02-01', $4, 0.3, $5, 1,"
            " '{}')",
            rows,
        )
        steps: list[tuple[str, str | None, str]] = [(row[0], None, state) for row in rows]
        if now_in:
            steps += [(row[0], state, now_in) for row in rows]
        await self._admin.executemany(
            "INSERT INTO episode_history (episode_id, from_state, to_state, reason, actor)"
            " VALUES ($1, $2, $3, 'because', 'mailer')",
            steps,
        )
        return [row[0] for row in rows]

    async def write(self, episodes: Iterable[str], at: datetime) -> None:
        """Have an email's text become final at a business time."""
        await self._admin.executemany(
            "INSERT INTO emails (episode_id, client_id, subject, body, facts_used, draft_hash,"
            " prompt_version, prompt_hash, model, provider, generation_id, sandbox, written_as_of)"
            " SELECT id, client_id, 's', 'b', '[]', 'h', 'v', 'p', 'm', 'x', 'g', true, $2"
            " FROM episodes WHERE id = $1",
            [(episode, at) for episode in episodes],
        )

    async def order(
        self,
        clients: Iterable[int],
        at: datetime,
        *,
        amount: str = "10",
        status: str = "paid",
        currency: str = "USD",
    ) -> None:
        """Place one order each."""
        await self._admin.executemany(
            "INSERT INTO orders (client_id, ordered_at, amount, status, currency)"
            " VALUES ($1, $2, $3, $4, $5)",
            [(client, at, Decimal(amount), status, currency) for client in clients],
        )
