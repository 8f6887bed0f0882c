"""The texts: one row an episode, written once, blanked when its client is erased."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from mailer.database import Connection
from mailer.words.letter import Letter


class Provenance(NamedTuple):
    """Where a text came from."""

    facts_used: list[str]
    prompt_version: str
    prompt_hash: str
    model: str
    provider: str
    generation_id: str
    sandbox: bool
    checks: list[str]
    """The rules that the text passed."""


class Text(NamedTuple):
    """A checked text of one episode."""

    episode_id: str
    client_id: int
    letter: Letter
    origin: Provenance
    final_as_of: datetime | None
    """The business time now when the text is final at once."""


class WrittenTwice(Exception):
    """A final text was about to be replaced: a bug."""


async def store(conn: Connection, texts: Sequence[Text]) -> None:
    """Store texts of different episodes.

    One that was never final gives way, one that was does not: raises WrittenTwice.
    """
    stored = await conn.fetch(
        """
        INSERT INTO emails (episode_id, client_id, subject, body, facts_used, draft_hash,
                            prompt_version, prompt_hash, model, provider, generation_id, sandbox,
                            written_as_of, checks)
        SELECT episode_id, client_id, subject, body, facts_used::jsonb, draft_hash,
               prompt_version, prompt_hash, model, provider, generation_id, sandbox,
               written_as_of, checks::jsonb
        FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[],
                    $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::boolean[],
                    $13::timestamptz[], $14::text[])
            AS one (episode_id, client_id, subject, body, facts_used, draft_hash,
                    prompt_version, prompt_hash, model, provider, generation_id, sandbox,
                    written_as_of, checks)
        ON CONFLICT (episode_id) DO UPDATE SET
            subject = excluded.subject, body = excluded.body, facts_used = excluded.facts_used,
            draft_hash = excluded.draft_hash, prompt_version = excluded.prompt_version,
            prompt_hash = excluded.prompt_hash, model = excluded.model,
            provider = excluded.provider, generation_id = excluded.generation_id,
            sandbox = excluded.sandbox, written_as_of = excluded.written_as_of,
            checks = excluded.checks, updated_at = clock_timestamp()
        WHERE emails.written_as_of IS NULL
        RETURNING episode_id
        """,
        *_columns([_row(text) for text in texts]),
    )
    if missing := {text.episode_id for text in texts} - {row["episode_id"] for row in stored}:
        raise WrittenTwice(", ".join(sorted(missing)))


def _row(text: Text) -> tuple[object, ...]:
    letter, origin = text.letter, text.origin
    return (
        text.episode_id,
        text.client_id,
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
        text.final_as_of,
        json.dumps(origin.checks),
    )


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    """Turn rows into columns, the form in which one statement takes many rows."""
    return [list(column) for column in zip(*rows, strict=True)]


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


async def finalise(conn: Connection, episode_id: str, as_of: datetime) -> None:
    """Note the business time at which a text became final: the frequency cap counts from it."""
    await conn.execute(
        "UPDATE emails SET written_as_of = $2, updated_at = clock_timestamp()"
        " WHERE episode_id = $1",
        episode_id,
        as_of,
    )


async def text_of(conn: Connection, episode_id: str) -> tuple[Letter, str] | None:
    """Return an episode's text and its hash, if it has one."""
    row = await conn.fetchrow(
        "SELECT subject, body, draft_hash FROM emails WHERE episode_id = $1", episode_id
    )
    return None if row is None else (Letter(row["subject"], row["body"]), row["draft_hash"])


async def erased(conn: Connection, episode_id: str) -> bool:
    """Whether an erasure was applied to this episode: nothing is written for it any more."""
    found = await conn.fetchval(
        "SELECT EXISTS (SELECT FROM decisions d JOIN decision_outcomes o ON o.decision_id = d.id"
        " WHERE d.episode_id = $1 AND d.action = 'erase' AND o.outcome = 'applied')",
        episode_id,
    )
    return bool(found)


async def blank(conn: Connection, episode_ids: Sequence[str]) -> None:
    """Take the words out of texts whose client was erased, and out of what people changed in them.

    Rows and counts stay.
    """
    await conn.execute(
        """
        WITH blanked AS (
            UPDATE emails SET subject = '', body = '', facts_used = '[]',
                              updated_at = clock_timestamp()
            WHERE episode_id = ANY ($1) AND subject <> ''
        )
        UPDATE decision_outcomes o SET difference = NULL FROM decisions d
        WHERE d.id = o.decision_id AND d.episode_id = ANY ($1) AND o.difference IS NOT NULL
        """,
        list(episode_ids),
    )
