"""What operators see and do, over HTTP: the same as the command line ``engage``."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from client_api.auth import Scope, needs
from client_api.problems import Invalid
from client_api.shapes.requests import (
    BackfillIn,
    DeadLetterReplayIn,
    DeadLettersQuery,
    ReplayIn,
    ReplayPreviewIn,
    Strict,
)
from client_api.shapes.responses import (
    BackfillPreview,
    DeadLetters,
    OperationRow,
    ReplayPreview,
    SystemStatus,
)
from client_api.web import cursors
from client_api.web.pages import page_of
from client_api.web.repeats import keyed, of_nobody
from client_api.web.runs import started
from client_api.web.state import Audit, Shared
from client_api.web.strict import StrictRoute

router = APIRouter(prefix="/api", tags=["operations"], route_class=StrictRoute)

OLDEST = "offset"


@router.get("/status", response_model=SystemStatus, dependencies=[needs(Scope.OPS_READ)])
async def read_status(parts: Shared) -> dict[str, Any]:
    """Read how far each hop is behind, and what waits for a person."""
    return await parts.operator.status()


@router.get("/dead-letters", response_model=DeadLetters, dependencies=[needs(Scope.OPS_READ)])
async def list_dead_letters(
    parts: Shared, query: Annotated[DeadLettersQuery, Query()]
) -> dict[str, Any]:
    """Count dead letters by topic; of one topic also list those that wait, the oldest first.

    To count a topic all its letters are read, so a page behind a cursor counts nothing.
    """
    if query.topic is None:
        if query.cursor is not None:
            raise Invalid("letters are listed by topic", [("query.topic", "name one")])
        counts = await parts.operator.letter_counts(None)
        return {"topics": counts, "letters": [], "next": None}
    after = cursors.decode(query.cursor, OLDEST, cursors.BY_OFFSET)
    start = 0 if after is None else after[0] + 1
    found = await parts.operator.letters(query.topic, start, query.limit + 1)
    page = page_of(found, query.limit, lambda letter: cursors.encode(OLDEST, letter["offset"]))
    counts = await parts.operator.letter_counts(query.topic) if after is None else []
    return {"topics": counts, "letters": page.items, "next": page.next}


@router.post(
    "/dead-letters/replays",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[needs(Scope.OPS_REPLAY), keyed(of_nobody)],
)
async def replay_dead_letters(
    parts: Shared, audit: Audit, body: Strict[DeadLetterReplayIn], response: Response
) -> OperationRow:
    """Make up for a topic's dead letters: their rows, as they stand now, are sent again."""
    run = await parts.operator.replay_dead_letters(body.topic, body.offset, audit)
    return await started(parts, audit, run, response)


@router.post(
    "/replays",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[needs(Scope.OPS_REPLAY), keyed(of_nobody)],
)
async def replay_clients(
    parts: Shared, audit: Audit, body: Strict[ReplayIn], response: Response
) -> OperationRow:
    """Send chosen clients' rows once more, as they stand now."""
    run = await parts.operator.replay(body.client_ids, audit)
    return await started(parts, audit, run, response)


@router.post(
    "/backfills",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[needs(Scope.OPS_REPLAY), keyed(of_nobody)],
)
async def backfill(
    parts: Shared, audit: Audit, body: Strict[BackfillIn], response: Response
) -> OperationRow:
    """Have rows captured once more, while live changes go on."""
    run = await parts.operator.backfill(body.table, body.where, audit)
    return await started(parts, audit, run, response)


@router.post("/replays/preview", dependencies=[needs(Scope.OPS_REPLAY)])
async def preview_replay(parts: Shared, body: Strict[ReplayPreviewIn]) -> ReplayPreview:
    """Count what a replay would send; it sends nothing."""
    found = await parts.operator.foresee_replay(body.client_ids, body.ordered)
    return ReplayPreview(
        client_ids=found.client_ids, clients=len(found.client_ids), orders=found.orders
    )


@router.post("/backfills/preview", dependencies=[needs(Scope.OPS_REPLAY)])
async def preview_backfill(parts: Shared, body: Strict[BackfillIn]) -> BackfillPreview:
    """Count what a backfill would read; it asks for nothing."""
    table, rows = await parts.operator.foresee_backfill(body.table, body.where)
    return BackfillPreview(table=table, rows=rows)
