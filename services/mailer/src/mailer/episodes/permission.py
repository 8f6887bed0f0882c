"""Whether a final text may be sent now: the client's wish, newer orders, cap and quiet hours."""

import asyncpg

from mailer.database import Connection
from mailer.episodes.deferral import Hindrance, Until
from mailer.episodes.policies import Policies
from mailer.episodes.standing import Days, standing_of


async def may_send(
    conn: Connection, episode: asyncpg.Record, policies: Policies, days: Days
) -> Hindrance | Until | None:
    """Return None when the written ``episode`` (its row) may be sent now, or what is in the way.

    The caller's transaction has locked the client (``lock_client``) and then the row. On a
    Hindrance it moves the episode to ``hindrance.target`` with ``hindrance.reason``; on an Until
    it calls ``ledger.postpone`` and takes the episode up again once that business time has come.
    """
    standing = await standing_of(conn, episode, policies, days)
    return standing.hindrance or standing.held_back
