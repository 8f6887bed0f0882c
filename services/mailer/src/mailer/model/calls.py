"""The log of model calls: a row before each call, completed after it; never prompt or text."""

from typing import NamedTuple

from mailer.database import Connection, Source
from mailer.model.budget import Need
from mailer.model.openrouter import Call
from mailer.model.verdicts import Answer

IN_FLIGHT = "in flight"
UNKNOWN = "unknown: the mailer went away"
NOT_SENT = "not sent: the grant ran out"
UNUSABLE = "unusable"
"""How the outcome of a call begins whose text could not be used; two of these end in rejection."""

_KNOWN_TO_COST_NOTHING = "coalesce(status_code, 0) >= 300"
TOKENS_USED = f"""
    CASE WHEN prompt_tokens IS NOT NULL OR completion_tokens IS NOT NULL
         THEN coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0)
         WHEN {_KNOWN_TO_COST_NOTHING} THEN 0 ELSE reserved_tokens END
"""
COST = f"""
    CASE WHEN cost_usd IS NOT NULL THEN cost_usd
         WHEN {_KNOWN_TO_COST_NOTHING} OR outcome = '{NOT_SENT}' THEN 0 ELSE reserved_usd END
"""
"""What a call used, in SQL; what was reserved for it as long as nobody knows. Refused requests are
not billed."""

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


async def begin(source: Source, episode_id: str, attempt: int, asking: Asking, need: Need) -> int:
    """Note that a call begins, so that even one whose process dies is on record."""
    found: int = await source.fetchval(
        "INSERT INTO model_calls (episode_id, attempt, model, provider, outcome, latency_ms,"
        " sandbox, reserved_tokens, reserved_usd)"
        " VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8) RETURNING id",
        episode_id,
        attempt,
        asking.model,
        asking.provider,
        IN_FLIGHT,
        asking.sandbox,
        need.tokens,
        need.usd,
    )
    return found


async def withdraw(source: Source, call_id: int) -> None:
    """Note that a call was never made."""
    await source.execute(
        "UPDATE model_calls SET outcome = $2 WHERE id = $1 AND outcome = ANY ($3)",
        call_id,
        NOT_SENT,
        [IN_FLIGHT, UNKNOWN],
    )


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


async def lose_older(source: Source, seconds: float) -> int:
    """Note the same of calls that began longer ago than any call lasts; return how many.

    An episode that is ended while it is written is in nobody's hands: should its worker go away
    too, no lease runs out that would tell of the call.
    """
    rows = await source.fetch(
        "UPDATE model_calls SET outcome = $1"
        " WHERE outcome = $2 AND at < clock_timestamp() - make_interval(secs => $3) RETURNING id",
        UNKNOWN,
        IN_FLIGHT,
        seconds,
    )
    return len(rows)


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
