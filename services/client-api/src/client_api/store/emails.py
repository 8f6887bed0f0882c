"""Every SQL statement about episodes, their emails, and people's decisions."""

from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.problems import NotFound
from client_api.shapes.money import Money, money
from client_api.shapes.requests import DecisionIn
from client_api.shapes.responses import (
    DecisionRow,
    EmailDetail,
    EmailText,
    ModelCall,
    StateChange,
)
from client_api.store.episode_lists import EpisodePage
from client_api.store.jsonb import loaded
from client_api.store.reads import Reads, Values

COLUMNS = """
    e.id AS episode_id, e.client_id, c.first_name, e.state, e.reason, e.actor, e.until,
    e.last_order_day, e.crossing_day, e.opened_as_of, e.score, e.value_at_risk, e.policy_version,
    e.attempts, e.created_at, e.updated_at, m.subject AS email_subject, m.body AS email_body,
    m.model AS email_model, m.provider AS email_provider, m.generation_id AS email_generation_id,
    m.prompt_version AS email_prompt_version, m.prompt_hash AS email_prompt_hash,
    m.draft_hash AS email_draft_hash, m.sandbox AS email_sandbox, m.created_at AS email_created_at,
    m.written_as_of AS email_written_as_of
"""
JOINS = """
    LEFT JOIN emails m ON m.episode_id = e.id
    LEFT JOIN clients c ON c.id = e.client_id
"""
TEXT_COLUMNS = tuple((name, f"email_{name}") for name in EmailText.model_fields)
DECISION_COLUMNS = """
    d.id, d.episode_id, d.action, d.actor, d.draft_hash, d.payload, d.created_at, o.outcome,
    o.reason AS outcome_reason, o.difference
"""
PROVIDERS_CURRENCY = "USD"
"""In which OpenRouter tells what a call cost (its credits)."""


async def page(reads: Reads, wanted: EpisodePage) -> list[dict[str, Any]]:
    """Return the fields of EmailRows, as ``fields_of`` does."""
    values = Values()
    # The page first, and then what belongs to it: the joins never see more than its rows.
    statement = f"""
        SELECT {COLUMNS} FROM (
            SELECT * FROM episodes e
            WHERE {wanted.where(values)} {wanted.order} LIMIT {wanted.limit:d}
        ) e {JOINS} {wanted.order}
    """
    return [fields_of(row) for row in await reads.rows(statement, values.all)]


async def read(db: AsyncConnection, episode_id: str, currency: str) -> EmailDetail:
    """Return one episode with all that happened to it; raises NotFound."""
    values = {"id": episode_id}
    statement = f"SELECT {COLUMNS}, e.event FROM episodes e {JOINS} WHERE e.id = :id"
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
    fields = fields_of(row)
    del fields["event"]
    fields["value_at_risk"] = money(fields["value_at_risk"], currency)
    return EmailDetail(
        **fields,
        history=[StateChange.model_validate(dict(found)) for found in history.mappings()],
        calls=[_call_of(found) for found in calls.mappings()],
        decisions=[_decision_of(found) for found in decisions.mappings()],
        evidence=loaded(row["event"]),
    )


DECISIONS_OF = f"""
    SELECT {DECISION_COLUMNS} FROM decisions d
    LEFT JOIN decision_outcomes o ON o.decision_id = d.id
    WHERE d.episode_id = :id ORDER BY d.id
"""


async def decide(db: AsyncConnection, decision: DecisionIn, actor: str) -> DecisionRow:
    """Record a decision for the mailer to apply; raises NotFound when there is no such episode."""
    statement = """
        INSERT INTO decisions (episode_id, action, actor, draft_hash, payload)
        SELECT e.id, :action, :actor, :draft_hash, CAST(:payload AS jsonb)
        FROM episodes e WHERE e.id = :episode_id
        RETURNING id, episode_id, action, actor, draft_hash, payload, created_at,
                  NULL AS outcome, NULL AS outcome_reason, NULL AS difference
    """
    values = {
        **decision.model_dump(),
        "actor": actor,
        "payload": decision.payload.model_dump_json(),
    }
    row = (await db.execute(text(statement), values)).mappings().first()
    if row is None:
        raise NotFound(f"there is no episode {decision.episode_id}")
    return _decision_of(row)


def fields_of(row: Any) -> dict[str, Any]:
    """Return the fields of an EmailRow, without checks, from a row of ``COLUMNS``.

    The value at risk is the bare number: ``priced`` states it as money.
    """
    fields = dict(row.items())
    email = {name: fields.pop(column) for name, column in TEXT_COLUMNS}
    fields["email"] = None if email["subject"] is None else email
    fields["masked"] = False
    return fields


def _call_of(row: RowMapping) -> ModelCall:
    told = row["cost_usd"]
    cost = None if told is None else Money(amount=told, currency=PROVIDERS_CURRENCY)
    return ModelCall.model_validate({**row, "cost": cost})


def _decision_of(row: RowMapping) -> DecisionRow:
    return DecisionRow.model_validate({**row, "payload": loaded(row["payload"])})
