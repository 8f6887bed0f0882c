"""The log of model calls: a row before each call, completed after it; never prompt or text."""

from collections.abc import Sequence
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


class Beginning(NamedTuple):
    """A call that is about to be made."""

    episode_id: str
    attempt: int
    need: Need


class Ended(NamedTuple):
    """A call that was made, how it ended, and its number in the log."""

    call_id: int
    call: Call
    outcome: str


async def begin(source: Source, beginnings: Sequence[Beginning], asking: Asking) -> list[int]:
    """Note that calls begin, so that even one whose process dies is on record.

    Returns their numbers in the log, in their order.
    """
    rows = await source.fetch(
        """
        INSERT INTO model_calls (episode_id, attempt, model, provider, outcome, latency_ms,
                                 sandbox, reserved_tokens, reserved_usd)
        SELECT episode_id, attempt, $5, $6, $7, 0, $8, tokens, usd
        FROM unnest($1::text[], $2::integer[], $3::integer[], $4::numeric[])
            AS one (episode_id, attempt, tokens, usd)
        RETURNING id, episode_id, attempt
        """,
        [one.episode_id for one in beginnings],
        [one.attempt for one in beginnings],
        [one.need.tokens for one in beginnings],
        [one.need.usd for one in beginnings],
        asking.model,
        asking.provider,
        IN_FLIGHT,
        asking.sandbox,
    )
    numbers: dict[tuple[str, int], list[int]] = {}
    for row in rows:
        numbers.setdefault((row["episode_id"], row["attempt"]), []).append(row["id"])
    return [numbers[one.episode_id, one.attempt].pop() for one in beginnings]


async def withdraw(source: Source, call_id: int) -> None:
    """Note that a call was never made."""
    await source.execute(
        "UPDATE model_calls SET outcome = $2 WHERE id = $1 AND outcome = ANY ($3)",
        call_id,
        NOT_SENT,
        [IN_FLIGHT, UNKNOWN],
    )


async def finish(conn: Connection, ended: Sequence[Ended]) -> None:
    """Complete the rows of calls, once: a transaction that is tried again changes nothing more."""
    receipts = [one.call.receipt for one in ended]
    await conn.execute(
        """
        UPDATE model_calls made SET outcome = one.outcome, status_code = one.status_code,
            provider = coalesce(one.provider, made.provider), generation_id = one.generation_id,
            prompt_tokens = one.prompt_tokens, completion_tokens = one.completion_tokens,
            cost_usd = one.cost_usd::numeric, latency_ms = one.latency_ms
        FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::text[], $5::text[],
                    $6::integer[], $7::integer[], $8::float8[], $9::integer[])
            AS one (id, outcome, status_code, provider, generation_id,
                    prompt_tokens, completion_tokens, cost_usd, latency_ms)
        WHERE made.id = ANY ($1) AND made.id = one.id AND made.outcome = ANY ($10)
        """,
        [one.call_id for one in ended],
        [one.outcome for one in ended],
        [receipt.status for receipt in receipts],
        [receipt.provider for receipt in receipts],
        [receipt.generation_id for receipt in receipts],
        [receipt.prompt_tokens for receipt in receipts],
        [receipt.completion_tokens for receipt in receipts],
        [receipt.cost_usd for receipt in receipts],
        [one.call.latency_ms for one in ended],
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


async def unusable_texts(conn: Connection, episode_ids: Sequence[str]) -> dict[str, int]:
    """Count the texts that could not be used since a person last had the episode retried.

    By episode; those without any are left out.
    """
    rows = await conn.fetch(
        f"""
        SELECT episode_id, count(*) AS texts FROM model_calls counted
        WHERE episode_id = ANY ($1) AND starts_with(outcome, $2) AND at > {BEGAN_AFRESH}
        GROUP BY episode_id
        """,  # noqa: S608 - a constant
        list(episode_ids),
        UNUSABLE,
    )
    return {row["episode_id"]: row["texts"] for row in rows}
