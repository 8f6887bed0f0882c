"""The texts: one row an episode, written once, blanked when its client is erased."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from mailer.database import Connection
from mailer.letter import Letter


class Provenance(NamedTuple):
    """Where a text came from."""

    facts_used: list[str]
    prompt_version: str
    prompt_hash: str
    model: str
    provider: str
    generation_id: str
    sandbox: bool


class WrittenTwice(Exception):
    """A final text was about to be replaced: a bug."""


async def store(
    conn: Connection, episode_id: str, client_id: int, letter: Letter, origin: Provenance
) -> None:
    """Store an episode's text; one that was never final gives way, a written one does not."""
    stored = await conn.fetchval(
        """
        INSERT INTO emails (episode_id, client_id, subject, body, facts_used, draft_hash,
                            prompt_version, prompt_hash, model, provider, generation_id, sandbox)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (episode_id) DO UPDATE SET
            subject = excluded.subject, body = excluded.body, facts_used = excluded.facts_used,
            draft_hash = excluded.draft_hash, prompt_version = excluded.prompt_version,
            prompt_hash = excluded.prompt_hash, model = excluded.model,
            provider = excluded.provider, generation_id = excluded.generation_id,
            sandbox = excluded.sandbox, updated_at = clock_timestamp()
        WHERE NOT EXISTS (SELECT FROM episode_history
                          WHERE episode_id = $1 AND to_state = 'written')
        RETURNING episode_id
        """,
        episode_id,
        client_id,
        letter.subject,
        letter.body,
        json.dumps(origin.facts_used),
        letter.draft_hash,
        origin.prompt_version,
        origin.prompt_hash,
        origin.model,
        origin.provider,
        origin.generation_id,
        origin.sandbox,
    )
    if stored is None:
        raise WrittenTwice(episode_id)


async def replace(conn: Connection, episode_id: str, letter: Letter) -> None:
    """Put a person's wording in a draft's place; its hash changes with it."""
    await conn.execute(
        "UPDATE emails SET subject = $2, body = $3, draft_hash = $4,"
        " updated_at = clock_timestamp() WHERE episode_id = $1",
        episode_id,
        letter.subject,
        letter.body,
        letter.draft_hash,
    )


async def draft_hash_of(conn: Connection, episode_id: str) -> str | None:
    """Return the hash of an episode's text, if it has one."""
    found: str | None = await conn.fetchval(
        "SELECT draft_hash FROM emails WHERE episode_id = $1", episode_id
    )
    return found


async def blank(conn: Connection, episode_ids: Sequence[str]) -> None:
    """Take the words out of texts whose client was erased; rows and counts stay."""
    await conn.execute(
        "UPDATE emails SET subject = '', body = '', facts_used = '[]',"
        " updated_at = clock_timestamp() WHERE episode_id = ANY ($1) AND subject <> ''",
        list(episode_ids),
    )
