"""The SQL statements behind an email's lineage: what Postgres knows of it, beside its detail."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.problems import NotFound
from client_api.shapes.reports import Delivery
from client_api.shapes.responses import EmailDetail, PolicyRow
from client_api.store import emails, policies
from client_api.store.jsonb import loaded

WRITTEN = "SELECT facts_used, checks, written_as_of FROM emails WHERE episode_id = :id"
DELIVERIES = """
    SELECT message_id, outcome, status_code, began_at, ended_at
    FROM deliveries WHERE episode_id = :id ORDER BY id
"""


class Known(NamedTuple):
    """What Postgres knows of an email."""

    detail: EmailDetail
    policy: PolicyRow
    facts_used: list[str]
    checks: list[str]
    written_as_of: datetime | None
    deliveries: list[Delivery]


async def read(db: AsyncConnection, episode_id: str, currency: str) -> Known:
    """Return what is known of an email, all of one moment; raises NotFound."""
    await db.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    detail = await emails.read(db, episode_id, currency)
    version = detail.policy_version
    policy = await policies.newest(db, before=version + 1)
    if not policy or policy[0].version != version:
        raise NotFound(f"there is no policy {version}, which the episode names")
    values = {"id": episode_id}
    written = (await db.execute(text(WRITTEN), values)).first()
    deliveries = (await db.execute(text(DELIVERIES), values)).mappings()
    return Known(
        detail,
        policy[0],
        [] if written is None else loaded(written.facts_used),
        [] if written is None else loaded(written.checks),
        None if written is None else written.written_as_of,
        [Delivery.model_validate(dict(row)) for row in deliveries],
    )
