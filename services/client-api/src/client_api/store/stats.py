"""Counts over the whole shop."""

from datetime import date
from typing import NamedTuple, get_args

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.shapes.responses import ClientCounts, EmailCounts, EpisodeCounts, OrderCounts
from client_api.store.clients import SERVED
from common.episodes import EpisodeState
from common.score.model import State

TOTALS = """
    SELECT (SELECT as_of FROM score_serving) AS as_of, (SELECT count(*) FROM clients) AS clients,
           (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM emails) AS emails
"""
CLIENTS_BY_STATE = (
    f"SELECT state, count(*) AS number FROM scores WHERE as_of = {SERVED} GROUP BY state"
)
EPISODES_BY_STATE = "SELECT state, count(*) AS number FROM episodes GROUP BY state"


class Counts(NamedTuple):
    """What Postgres holds at this moment."""

    as_of: date | None
    clients: ClientCounts
    orders: OrderCounts
    episodes: EpisodeCounts
    emails: EmailCounts


async def count(db: AsyncConnection) -> Counts:
    """Count everything, in three statements of one snapshot."""
    await db.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    totals = (await db.execute(text(TOTALS))).one()
    clients: dict[State, int] = dict.fromkeys(get_args(State), 0)
    clients |= {row.state: row.number for row in await db.execute(text(CLIENTS_BY_STATE))}
    episodes: dict[EpisodeState, int] = dict.fromkeys(get_args(EpisodeState), 0)
    episodes |= {row.state: row.number for row in await db.execute(text(EPISODES_BY_STATE))}
    return Counts(
        totals.as_of,
        ClientCounts(
            total=totals.clients,
            by_state=clients,
            unscored=totals.clients - sum(clients.values()),
        ),
        OrderCounts(total=totals.orders),
        EpisodeCounts(total=sum(episodes.values()), by_state=episodes),
        EmailCounts(total=totals.emails),
    )
