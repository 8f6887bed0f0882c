"""Every SQL statement about episodes as such: pages of them, and one with its history."""

from collections.abc import Iterable
from typing import Any, get_args

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.problems import NotFound
from client_api.shapes.episodes import EpisodeDetail, Outcome
from client_api.shapes.money import money
from client_api.shapes.responses import StateChange
from client_api.store.episode_lists import EpisodePage
from client_api.store.reads import Reads, Values
from common.policy import EmailRules
from common.score.ledger import COUNTING_STATUSES


def _literals(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))


RESTING = f"e.state IN ({_literals(get_args(Outcome))})"

# Which orders count, and in which window, is the rule of the effect.
COLUMNS = f"""
    e.id AS episode_id, e.client_id, e.state, e.reason, e.actor, e.until,
    e.began_as_of AS opened_at, e.last_order_day, e.crossing_day, e.score, e.value_at_risk,
    e.policy_version, e.created_at, e.updated_at,
    CASE WHEN {RESTING} THEN e.state END AS outcome,
    CASE WHEN {RESTING} THEN (
        SELECT h.at FROM episode_history h WHERE h.episode_id = e.id ORDER BY h.id DESC LIMIT 1
    ) END AS closed_at,
    (SELECT o.ordered_at FROM orders o
     WHERE o.client_id = e.client_id AND o.amount > 0
       AND o.status IN ({_literals(COUNTING_STATUSES)})
       AND o.ordered_at > e.began_as_of
       AND o.ordered_at <= e.began_as_of + make_interval(days => (
           SELECT coalesce(CAST(document #>> '{{emails,effect_days}}' AS int),
                           {EmailRules().effect_days:d})
           FROM policies ORDER BY id DESC LIMIT 1))
     ORDER BY o.ordered_at, o.id LIMIT 1) AS ordered_at
"""
HISTORY = "SELECT * FROM episode_history WHERE episode_id = :id ORDER BY id"


async def page(reads: Reads, wanted: EpisodePage) -> list[dict[str, Any]]:
    """Return the fields of EpisodeRows; the value at risk is the bare number."""
    values = Values()
    statement = f"""
        SELECT {COLUMNS} FROM episodes e
        WHERE {wanted.where(values)} {wanted.order} LIMIT {wanted.limit:d}
    """
    return [dict(row.items()) for row in await reads.rows(statement, values.all)]


async def read(db: AsyncConnection, episode_id: str, currency: str) -> EpisodeDetail:
    """Return one episode with its history; raises NotFound."""
    statement = f"SELECT {COLUMNS}, CAST(e.event AS text) AS event FROM episodes e WHERE e.id = :id"
    row = (await db.execute(text(statement), {"id": episode_id})).mappings().first()
    if row is None:
        raise NotFound(f"there is no episode {episode_id}")
    history = (await db.execute(text(HISTORY), {"id": episode_id})).mappings()
    event = orjson.loads(row["event"])
    return EpisodeDetail.model_validate(
        {
            **row,
            "value_at_risk": money(row["value_at_risk"], currency),
            "cause": event.get("cause"),
            "entry": event.get("entry"),
            "history": [StateChange.model_validate(dict(step)) for step in history],
        }
    )
