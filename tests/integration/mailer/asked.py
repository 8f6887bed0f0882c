"""What people ask of the mailer: decisions, as client-api would write them."""

import json
from typing import Any

import asyncpg


async def decide(
    source: "asyncpg.Connection[asyncpg.Record] | asyncpg.Pool[asyncpg.Record]",
    episode_id: str,
    action: str,
    row: dict[str, Any],
) -> int:
    """Write a decision with what ``row`` adds to it; return its number."""
    number: int = await source.fetchval(
        "INSERT INTO decisions (episode_id, action, actor, draft_hash, payload)"
        " VALUES ($1, $2, 'Pat', $3, $4) RETURNING id",
        episode_id,
        action,
        row.get("draft_hash"),
        json.dumps(row.get("payload", {})),
    )
    return number
