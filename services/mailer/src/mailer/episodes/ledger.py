"""The ledger of episodes: the only code that changes an episode's state.

Every change writes its reason, actor and time to the history in the same statement, so the history
of an episode always ends in the state it is in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

from mailer.database import Connection
from mailer.episodes.deferral import Until
from mailer.episodes.states import BEGINNINGS, IllegalTransition, State, check

SCORER = "scorer"
MAILER = "mailer"
POLICY = "policy"
"""Actors that are no people."""


@dataclass(frozen=True)
class Opening:
    """An episode as the scorer told it."""

    id: str
    client_id: int
    last_order_day: date
    crossing_day: date
    opened_as_of: datetime
    score: float
    value_at_risk: float
    policy_version: int
    event: str
    """The event's data as JSON: evidence and parts."""
    traceparent: str | None = None
    """The trace that the writing of the email goes on with."""


async def begin(conn: Connection, opening: Opening, state: State, reason: str) -> bool:
    """Record a new episode; return False, changing nothing, when its id is known already."""
    if state not in BEGINNINGS:
        raise IllegalTransition(f"(new) -> {state}")
    found = await conn.fetchval(
        """
        WITH begun AS (
            INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day, crossing_day,
                                  opened_as_of, score, value_at_risk, policy_version, event,
                                  traceparent)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            ON CONFLICT (id) DO NOTHING
            RETURNING id
        ), noted AS (
            INSERT INTO episode_history (episode_id, to_state, reason, actor)
            SELECT id, $3, $4, $5 FROM begun
        )
        SELECT id FROM begun
        """,
        opening.id,
        opening.client_id,
        state,
        reason,
        SCORER,
        opening.last_order_day,
        opening.crossing_day,
        opening.opened_as_of,
        opening.score,
        opening.value_at_risk,
        opening.policy_version,
        opening.event,
        opening.traceparent,
    )
    return found is not None


@dataclass(frozen=True)
class Change:
    """How an episode changes: its states, why, by whom, and what goes with it."""

    origin: State
    target: State
    reason: str
    actor: str = MAILER
    attempts: int = 0
    """Added to the attempts used."""
    afresh: bool = False
    """Whether the attempts used start again at zero."""
    lease_s: float | None = None
    """A claim: the lease in seconds, by the database's clock."""
    wait_s: float | None = None
    """The least time in seconds until the next claim."""
    until: datetime | None = None
    """The business time until which the episode is held back."""


MOVE = """
    WITH moved AS (
        UPDATE episodes SET
            state = $3,
            reason = $4,
            actor = $5,
            updated_at = clock_timestamp(),
            attempts = CASE WHEN $7 THEN 0 ELSE attempts + $6 END,
            lease_until = clock_timestamp() + make_interval(secs => $8),
            lease_token = lease_token + CASE WHEN $8::float8 IS NULL THEN 0 ELSE 1 END,
            next_try_at = clock_timestamp() + make_interval(secs => $9),
            until = $10
        WHERE id = ANY ($1) AND state = $2
        RETURNING id, client_id, last_order_day, value_at_risk, policy_version,
                  lease_token, attempts, traceparent
    ), noted AS (
        INSERT INTO episode_history (episode_id, from_state, to_state, reason, actor)
        SELECT id, $2, $3, $4, $5 FROM moved
    )
    SELECT * FROM moved ORDER BY value_at_risk DESC, id
"""


async def move(conn: Connection, ids: Sequence[str], change: Change) -> list[asyncpg.Record]:
    """Change the state of those episodes that are in the change's origin; return their new rows.

    Of these, only what a claim needs: the evidence may be long.
    """
    check(change.origin, change.target)
    return await conn.fetch(
        MOVE,
        list(ids),
        change.origin,
        change.target,
        change.reason,
        change.actor,
        change.attempts,
        change.afresh,
        change.lease_s,
        change.wait_s,
        change.until,
    )


async def move_one(conn: Connection, episode_id: str, change: Change) -> None:
    """Change the state of one episode whose row the caller has locked; raises otherwise."""
    await move_all(conn, [episode_id], change)


async def move_all(conn: Connection, ids: Sequence[str], change: Change) -> None:
    """Change the state of different episodes as ``move_one`` does, all or none."""
    _all_moved(ids, await move(conn, ids, change), change.origin)


def _all_moved(ids: Sequence[str], moved: Sequence[asyncpg.Record], origin: State) -> None:
    if missing := set(ids) - {row["id"] for row in moved}:
        raise IllegalTransition(f"not {origin}: {', '.join(sorted(missing))}")


async def pass_through(conn: Connection, ids: Sequence[str], first: Change, then: Change) -> None:
    """Change the states of different episodes twice at once, both steps in the history.

    The caller has locked their rows; raises as ``move_one``.
    """
    check(first.origin, first.target)
    check(first.target, then.target)
    found = await conn.fetch(
        """
        WITH moved AS (
            UPDATE episodes SET state = $4, reason = $6, actor = $8, lease_until = NULL,
                                next_try_at = NULL, until = NULL, updated_at = clock_timestamp()
            WHERE id = ANY ($1) AND state = $2
            RETURNING id
        ), noted AS (
            INSERT INTO episode_history (episode_id, from_state, to_state, reason, actor)
            SELECT id, origin, target, step.reason, step.actor
            FROM moved, (VALUES (1, $2, $3, $5, $7), (2, $3, $4, $6, $8))
                AS step (number, origin, target, reason, actor)
            ORDER BY id, step.number
        )
        SELECT id FROM moved
        """,
        list(ids),
        first.origin,
        first.target,
        then.target,
        first.reason,
        then.reason,
        first.actor,
        then.actor,
    )
    _all_moved(ids, found, first.origin)


async def postpone(conn: Connection, episode_id: str, until: Until, actor: str = MAILER) -> None:
    """Say until when an episode waits in the state it is in, and why; the caller has locked it."""
    await restate(conn, episode_id, until.reason, actor, until.moment)


async def restate(
    conn: Connection, episode_id: str, reason: str, actor: str, until: datetime | None = None
) -> None:
    """Give an episode that keeps its state another reason, and business time to wait until."""
    await conn.execute(
        "UPDATE episodes SET reason = $2, actor = $3, until = $4, updated_at = clock_timestamp()"
        " WHERE id = $1",
        episode_id,
        reason,
        actor,
        until,
    )


async def lock(conn: Connection, episode_id: str) -> asyncpg.Record | None:
    """Lock an episode's row for the rest of the transaction and return it.

    Whoever also locks the client does so first: one order of locks, no deadlock.
    """
    return await conn.fetchrow("SELECT * FROM episodes WHERE id = $1 FOR UPDATE", episode_id)


async def renew(conn: Connection, opening: Opening) -> None:
    """Put a later opening's evidence in the place of the earlier one's."""
    await conn.execute(
        "UPDATE episodes SET crossing_day = $2, opened_as_of = $3, score = $4, value_at_risk = $5,"
        " policy_version = $6, event = $7, traceparent = $8 WHERE id = $1",
        opening.id,
        opening.crossing_day,
        opening.opened_as_of,
        opening.score,
        opening.value_at_risk,
        opening.policy_version,
        opening.event,
        opening.traceparent,
    )


async def keep_opening(conn: Connection, opening: Opening) -> None:
    """Note how late an opening is known; a text that is kept keeps the evidence it came from."""
    await conn.execute(
        "UPDATE episodes SET opened_as_of = $2 WHERE id = $1", opening.id, opening.opened_as_of
    )
