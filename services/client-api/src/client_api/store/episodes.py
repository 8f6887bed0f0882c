"""Every SQL statement about episodes as such: pages of them, and one with its history."""

from datetime import datetime
from typing import Any, NamedTuple, get_args

import orjson
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.problems import NotFound
from client_api.shapes.episodes import EpisodeDetail, EpisodeRow, Outcome
from client_api.shapes.money import money
from client_api.shapes.responses import StateChange
from common.policy import EmailRules
from common.score.ledger import COUNTING_STATUSES

RESTING = sorted(get_args(Outcome))

# Which orders count, and in which window, is the rule of the effect.
COLUMNS = """
    e.id AS episode_id, e.client_id, e.state, e.reason, e.actor, e.until,
    e.began_as_of AS opened_at, e.last_order_day, e.crossing_day, e.score, e.value_at_risk,
    e.policy_version, e.created_at, e.updated_at,
    CASE WHEN e.state = ANY(CAST(:resting AS text[])) THEN e.state END AS outcome,
    CASE WHEN e.state = ANY(CAST(:resting AS text[])) THEN (
        SELECT h.at FROM episode_history h WHERE h.episode_id = e.id ORDER BY h.id DESC LIMIT 1
    ) END AS closed_at,
    (SELECT o.ordered_at FROM orders o
     WHERE o.client_id = e.client_id AND o.amount > 0
       AND o.status = ANY(CAST(:statuses AS text[]))
       AND o.ordered_at > e.began_as_of
       AND o.ordered_at <= e.began_as_of + make_interval(days => (
           SELECT coalesce(CAST(document #>> '{emails,effect_days}' AS int), :days)
           FROM policies ORDER BY id DESC LIMIT 1))
     ORDER BY o.ordered_at, o.id LIMIT 1) AS ordered_at
"""
CONSTANT: dict[str, Any] = {
    "resting": RESTING,
    "statuses": sorted(COUNTING_STATUSES),
    "days": EmailRules().effect_days,
}
HISTORY = "SELECT * FROM episode_history WHERE episode_id = :id ORDER BY id"


class Sort(NamedTuple):
    """What a list is sorted by, falling, and the type of that column."""

    column: str
    type: str


SORTS = {
    "-value": Sort("e.value_at_risk", "float8"),
    "-created": Sort("e.created_at", "timestamptz"),
}


class Found(NamedTuple):
    """One episode, and its place in the list."""

    row: EpisodeRow
    key: float | datetime


async def page(
    db: AsyncConnection,
    *,
    sort: str,
    after: tuple[float | datetime, str] | None,
    state: str | None,
    client_id: int | None,
    limit: int,
    currency: str,
) -> list[Found]:
    """Return the next ``limit`` episodes behind a sort key and id."""
    column, kind = SORTS[sort]
    where = ["true"]
    values: dict[str, Any] = {**CONSTANT, "limit": limit}
    if state is not None:
        where.append("e.state = :state")
        values["state"] = state
    if client_id is not None:
        where.append("e.client_id = :client_id")
        values["client_id"] = client_id
    if after is not None:
        where.append(f"({column}, e.id) < (CAST(:key AS {kind}), CAST(:after AS text))")
        values |= {"key": after[0], "after": after[1]}
    statement = f"""
        SELECT {COLUMNS}, {column} AS sort_key FROM episodes e WHERE {" AND ".join(where)}
        ORDER BY {column} DESC, e.id DESC LIMIT :limit
    """
    rows = (await db.execute(text(statement), values)).mappings()
    return [
        Found(EpisodeRow.model_validate(_fields(row, currency)), row["sort_key"]) for row in rows
    ]


async def read(db: AsyncConnection, episode_id: str, currency: str) -> EpisodeDetail:
    """Return one episode with its history; raises NotFound."""
    statement = f"SELECT {COLUMNS}, CAST(e.event AS text) AS event FROM episodes e WHERE e.id = :id"
    row = (await db.execute(text(statement), {**CONSTANT, "id": episode_id})).mappings().first()
    if row is None:
        raise NotFound(f"there is no episode {episode_id}")
    history = (await db.execute(text(HISTORY), {"id": episode_id})).mappings()
    event = orjson.loads(row["event"])
    return EpisodeDetail.model_validate(
        {
            **_fields(row, currency),
            "cause": event.get("cause"),
            "entry": event.get("entry"),
            "history": [StateChange.model_validate(dict(step)) for step in history],
        }
    )


def _fields(row: RowMapping, currency: str) -> dict[str, Any]:
    return {**row, "value_at_risk": money(row["value_at_risk"], currency)}
