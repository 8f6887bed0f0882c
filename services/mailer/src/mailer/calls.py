"""The log of model calls: a row before each call, completed after it; never prompt or text."""

from typing import NamedTuple

from mailer.database import Connection, Pool
from mailer.openrouter import Call
from mailer.verdicts import Answer

IN_FLIGHT = "in flight"
UNKNOWN = "unknown: the mailer went away"
UNUSABLE = "unusable"
"""How the outcome of a call begins whose text could not be used; two of these end in rejection."""


BEGAN_AFRESH = """
    coalesce((SELECT max(began.at) FROM episode_history began
              WHERE began.episode_id = counted.episode_id
                AND began.from_state IN ('rejected', 'failed', 'recovered')), '-infinity')
"""
"""When the attempts of the episode of a ``counted`` row last began to be counted anew."""


class Asking(NamedTuple):
    """Who is asked, as it stands in every row."""

    model: str
    provider: str
    sandbox: bool


async def begin(pool: Pool, episode_id: str, attempt: int, asking: Asking) -> int:
    """Note that a call begins, so that even one whose process dies is on record."""
    found: int = await pool.fetchval(
        "INSERT INTO model_calls (episode_id, attempt, model, provider, outcome, latency_ms,"
        " sandbox) VALUES ($1, $2, $3, $4, $5, 0, $6) RETURNING id",
        episode_id,
        attempt,
        asking.model,
        asking.provider,
        IN_FLIGHT,
        asking.sandbox,
    )
    return found


async def finish(conn: Connection, call_id: int, call: Call, outcome: str) -> None:
    """Complete a call's row, once: a transaction that is tried again changes nothing more."""
    receipt = call.receipt
    await conn.execute(
        """
        UPDATE model_calls SET outcome = $2, status_code = $3, provider = coalesce($4, provider),
            generation_id = $5, prompt_tokens = $6, completion_tokens = $7,
            cost_usd = $8::float8::numeric, latency_ms = $9
        WHERE id = $1 AND outcome = ANY ($10)
        """,
        call_id,
        outcome,
        receipt.status,
        receipt.provider,
        receipt.generation_id,
        receipt.prompt_tokens,
        receipt.completion_tokens,
        receipt.cost_usd,
        call.latency_ms,
        [IN_FLIGHT, UNKNOWN],
    )


def outcome_of(call: Call) -> str:
    """Say in a few words how a call ended: our own words, never the reply's text."""
    verdict = call.verdict
    if isinstance(verdict, Answer):
        return "answered"
    return f"{type(verdict).__name__.lower()}: {verdict.reason}"


async def lose(conn: Connection, episode_ids: list[str]) -> None:
    """Note that nobody will ever know how these episodes' open calls ended."""
    await conn.execute(
        "UPDATE model_calls SET outcome = $2 WHERE episode_id = ANY ($1) AND outcome = $3",
        episode_ids,
        UNKNOWN,
        IN_FLIGHT,
    )


async def unusable_texts(conn: Connection, episode_id: str) -> int:
    """Count the texts of an episode that could not be used since a person last had it retried."""
    found: int = await conn.fetchval(
        f"""
        SELECT count(*) FROM model_calls counted
        WHERE episode_id = $1 AND starts_with(outcome, $2) AND at > {BEGAN_AFRESH}
        """,  # noqa: S608 - a constant
        episode_id,
        UNUSABLE,
    )
    return found
