"""Every SQL statement about episodes, their emails, and people's decisions."""

from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.problems import NotFound
from client_api.web.requests import DecisionIn
from client_api.web.responses import (
    DecisionRow,
    EmailDetail,
    EmailRow,
    EmailText,
    ModelCall,
    StateChange,
)

COLUMNS = """
    e.id AS episode_id, e.client_id, c.first_name, e.state, e.reason, e.actor, e.until,
    e.last_order_day, e.crossing_day, e.opened_as_of, e.score, e.value_at_risk, e.policy_version,
    e.attempts, e.created_at, e.updated_at, m.subject AS email_subject, m.body AS email_body,
    m.model AS email_model, m.provider AS email_provider, m.generation_id AS email_generation_id,
    m.prompt_version AS email_prompt_version, m.prompt_hash AS email_prompt_hash,
    m.draft_hash AS email_draft_hash, m.sandbox AS email_sandbox, m.created_at AS email_created_at
"""
JOINED = """
    FROM episodes e
    LEFT JOIN emails m ON m.episode_id = e.id
    LEFT JOIN clients c ON c.id = e.client_id
"""
DECISION_COLUMNS = """
    d.id, d.episode_id, d.action, d.actor, d.draft_hash, d.payload, d.created_at, o.outcome,
    o.reason AS outcome_reason, o.difference
"""


async def most_valuable(
    db: AsyncConnection,
    *,
    after: tuple[float, str] | None,
    state: str | None,
    client_id: int | None,
    limit: int,
) -> list[EmailRow]:
    """Return the next ``limit`` episodes behind a value at risk and id, highest value first."""
    behind = "(e.value_at_risk, e.id) < (CAST(:key AS float8), CAST(:after AS text))"
    order = _Order("e.value_at_risk", behind, after)
    return await _page(db, order, state=state, client_id=client_id, limit=limit)


async def newest(
    db: AsyncConnection,
    *,
    after: tuple[datetime, str] | None,
    state: str | None,
    client_id: int | None,
    limit: int,
) -> list[EmailRow]:
    """Return the next ``limit`` episodes behind a time of creation and id, newest first."""
    behind = "(e.created_at, e.id) < (CAST(:key AS timestamptz), CAST(:after AS text))"
    order = _Order("e.created_at", behind, after)
    return await _page(db, order, state=state, client_id=client_id, limit=limit)


class _Order(NamedTuple):
    """What a list is sorted by, the condition for what comes behind a place, and the place."""

    key: str
    behind: str
    after: tuple[Any, str] | None


async def _page(
    db: AsyncConnection,
    order: _Order,
    *,
    state: str | None,
    client_id: int | None,
    limit: int,
) -> list[EmailRow]:
    where = ["true"]
    values: dict[str, Any] = {"limit": limit}
    if state is not None:
        where.append("e.state = :state")
        values["state"] = state
    if client_id is not None:
        where.append("e.client_id = :client_id")
        values["client_id"] = client_id
    if order.after is not None:
        where.append(order.behind)
        values |= {"key": order.after[0], "after": order.after[1]}
    statement = f"""
        SELECT {COLUMNS} {JOINED} WHERE {" AND ".join(where)}
        ORDER BY {order.key} DESC, e.id DESC LIMIT :limit
    """
    return [_row_of(row) for row in (await db.execute(text(statement), values)).mappings()]


async def read(db: AsyncConnection, episode_id: str) -> EmailDetail:
    """Return one episode with all that happened to it; raises NotFound."""
    values = {"id": episode_id}
    statement = f"SELECT {COLUMNS}, e.event {JOINED} WHERE e.id = :id"
    row = (await db.execute(text(statement), values)).mappings().first()
    if row is None:
        raise NotFound(f"there is no episode {episode_id}")
    history = await db.execute(
        text("SELECT * FROM episode_history WHERE episode_id = :id ORDER BY id"), values
    )
    calls = await db.execute(
        text("SELECT * FROM model_calls WHERE episode_id = :id ORDER BY id"), values
    )
    decisions = await db.execute(text(DECISIONS_OF), values)
    return EmailDetail(
        **_row_of(row).model_dump(exclude={"email"}),
        email=_text_of(row),
        history=[StateChange.model_validate(dict(found)) for found in history.mappings()],
        calls=[ModelCall.model_validate(dict(found)) for found in calls.mappings()],
        decisions=[_decision_of(found) for found in decisions.mappings()],
        evidence=_object(row["event"]),
    )


DECISIONS_OF = f"""
    SELECT {DECISION_COLUMNS} FROM decisions d
    LEFT JOIN decision_outcomes o ON o.decision_id = d.id
    WHERE d.episode_id = :id ORDER BY d.id
"""


async def decide(db: AsyncConnection, decision: DecisionIn) -> DecisionRow:
    """Record a decision for the mailer to apply; raises NotFound when there is no such episode."""
    statement = """
        INSERT INTO decisions (episode_id, action, actor, draft_hash, payload)
        SELECT e.id, :action, :actor, :draft_hash, CAST(:payload AS jsonb)
        FROM episodes e WHERE e.id = :episode_id
        RETURNING id, episode_id, action, actor, draft_hash, payload, created_at,
                  NULL AS outcome, NULL AS outcome_reason, NULL AS difference
    """
    values = {**decision.model_dump(), "payload": decision.payload.model_dump_json()}
    row = (await db.execute(text(statement), values)).mappings().first()
    if row is None:
        raise NotFound(f"there is no episode {decision.episode_id}")
    return _decision_of(row)


def _row_of(row: RowMapping) -> EmailRow:
    values = {name: row[name] for name in EmailRow.model_fields if name != "email"}
    return EmailRow(**values, email=_text_of(row))


def _text_of(row: RowMapping) -> EmailText | None:
    if row["email_subject"] is None:
        return None
    return EmailText(**{name: row[f"email_{name}"] for name in EmailText.model_fields})


def _decision_of(row: RowMapping) -> DecisionRow:
    return DecisionRow.model_validate({**row, "payload": _object(row["payload"])})


def _object(value: Any) -> dict[str, Any]:
    """Return a jsonb column's value: text() statements leave it as it came over the wire."""
    found = orjson.loads(value) if isinstance(value, str | bytes) else value
    return dict(found)
