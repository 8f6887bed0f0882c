"""What operators see and do, over HTTP: the same as the command line ``engage``."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import StringConstraints

from client_api.store import operations
from client_api.web import cursors
from client_api.web.pages import page_of
from client_api.web.requests import (
    BackfillIn,
    DeadLetterReplayIn,
    PageQuery,
    ReplayIn,
    RowId,
)
from client_api.web.responses import DeadLetters, OperationRow, Page, SystemStatus
from client_api.web.state import Db, Shared
from client_api.web.strict import StrictRoute

router = APIRouter(prefix="/api", tags=["operations"], route_class=StrictRoute)

NEWEST = "-id"
Topic = Annotated[str | None, Query(), StringConstraints(max_length=100)]


@router.get("/status", response_model=SystemStatus)
async def read_status(parts: Shared) -> dict[str, Any]:
    """Read how far each hop is behind, and what waits for a person."""
    return await parts.operator.status()


@router.get("/dead-letters", response_model=DeadLetters)
async def list_dead_letters(parts: Shared, topic: Topic = None) -> dict[str, Any]:
    """Count dead letters by topic; of one topic also show the oldest that wait."""
    return await parts.operator.dead_letters(topic)


@router.post("/dead-letters/replays", status_code=HTTPStatus.ACCEPTED)
async def replay_dead_letters(parts: Shared, body: DeadLetterReplayIn) -> OperationRow:
    """Make up for a topic's dead letters: their rows, as they stand now, are sent again."""
    run = await parts.operator.replay_dead_letters(body.topic, body.offset, body.actor)
    return await _row(parts, run)


@router.post("/replays", status_code=HTTPStatus.ACCEPTED)
async def replay_clients(parts: Shared, body: ReplayIn) -> OperationRow:
    """Send chosen clients' rows once more, as they stand now."""
    return await _row(parts, await parts.operator.replay(body.client_ids, body.actor))


@router.post("/backfills", status_code=HTTPStatus.ACCEPTED)
async def backfill(parts: Shared, body: BackfillIn) -> OperationRow:
    """Have rows captured once more, while live changes go on."""
    run = await parts.operator.backfill(body.table, body.where, body.actor)
    return await _row(parts, run)


@router.get("/operations")
async def list_operations(db: Db, query: Annotated[PageQuery, Query()]) -> Page[OperationRow]:
    """List the runs that were started here, the latest first."""
    await operations.mark_interrupted(db)
    after = cursors.decode(query.cursor, NEWEST, cursors.BY_ID)
    rows = await operations.newest(
        db, before=None if after is None else after[0], limit=query.limit + 1
    )
    return page_of(rows, query.limit, lambda row: cursors.encode(NEWEST, row.id))


@router.get("/operations/{operation_id}")
async def read_operation(db: Db, operation_id: Annotated[RowId, Path()]) -> OperationRow:
    """Read one run: how far it is, or how it ended."""
    await operations.mark_interrupted(db)
    return await operations.read(db, operation_id)


async def _row(parts: Shared, run: int) -> OperationRow:
    async with parts.engine.connect() as connection:
        return await operations.read(connection, run)
