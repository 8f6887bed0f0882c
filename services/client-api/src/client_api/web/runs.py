"""Runs over HTTP: all of them, those of one kind where these are asked for, and each by itself."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.auth import Scope, needs
from client_api.operations.runs import place_of
from client_api.shapes.fields import RowId
from client_api.shapes.requests import OperationsQuery, PageQuery, RunKind
from client_api.shapes.responses import OperationRow, Page
from client_api.store import operations
from client_api.web import cursors
from client_api.web.pages import page_of
from client_api.web.state import Audit, Db, Shared
from client_api.web.strict import StrictRoute

router = APIRouter(
    prefix="/api",
    tags=["operations"],
    route_class=StrictRoute,
    dependencies=[needs(Scope.OPS_READ)],
)

NEWEST = "-id"

Paging = Annotated[PageQuery, Query()]
Run = Annotated[RowId, Path()]


async def listed(db: AsyncConnection, query: PageQuery, kind: RunKind | None) -> Page[OperationRow]:
    """Return a page of the runs of all kinds or one, the latest first; raises Invalid."""
    await operations.mark_interrupted(db)
    after = cursors.decode(query.cursor, NEWEST, cursors.BY_ID)
    rows = await operations.newest(
        db,
        kind=kind,
        before=None if after is None else after[0],
        limit=query.limit + 1,
    )
    return page_of(rows, query.limit, lambda row: cursors.encode(NEWEST, row.id))


async def one(db: AsyncConnection, run: int, kind: RunKind | None) -> OperationRow:
    """Return one run, of any kind or this one; raises NotFound."""
    await operations.mark_interrupted(db)
    return await operations.read(db, run, kind)


async def started(parts: Shared, audit: Audit, run: int, response: Response) -> OperationRow:
    """Return the row of a run that was started just now, and say where it is."""
    if audit.once is not None and audit.once.kept is not None:
        row = OperationRow.model_validate_json(audit.once.kept.body or b"")
    else:
        async with parts.engine.connect() as connection:
            row = await operations.read(connection, run)
    response.headers["Location"] = place_of(row.kind, run)
    return row


@router.get("/operations")
async def list_operations(db: Db, query: Annotated[OperationsQuery, Query()]) -> Page[OperationRow]:
    """List the runs that were started here, of all kinds or one, the latest first."""
    return await listed(db, query, query.kind)


@router.get("/operations/{operation_id}")
async def read_operation(db: Db, operation_id: Run) -> OperationRow:
    """Read one run: how far it is, or how it ended."""
    return await one(db, operation_id, None)


@router.get("/backfills")
async def list_backfills(db: Db, query: Paging) -> Page[OperationRow]:
    """List the runs of backfills, the latest first."""
    return await listed(db, query, "backfill")


@router.get("/backfills/{backfill_id}")
async def read_backfill(db: Db, backfill_id: Run) -> OperationRow:
    """Read the run of a backfill: how far it is, or how it ended."""
    return await one(db, backfill_id, "backfill")


@router.get("/replays")
async def list_replays(db: Db, query: Paging) -> Page[OperationRow]:
    """List the runs of replays of clients, the latest first."""
    return await listed(db, query, "replay")


@router.get("/replays/{replay_id}")
async def read_replay(db: Db, replay_id: Run) -> OperationRow:
    """Read the run of a replay of clients: how far it is, or how it ended."""
    return await one(db, replay_id, "replay")


@router.get("/dead-letters/replays")
async def list_dead_letter_replays(db: Db, query: Paging) -> Page[OperationRow]:
    """List the runs of replays of dead letters, the latest first."""
    return await listed(db, query, "dead-letter-replay")


@router.get("/dead-letters/replays/{replay_id}")
async def read_dead_letter_replay(db: Db, replay_id: Run) -> OperationRow:
    """Read the run of a replay of dead letters: how far it is, or how it ended."""
    return await one(db, replay_id, "dead-letter-replay")
