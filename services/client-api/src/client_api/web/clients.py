"""Clients over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import StringConstraints

from client_api.store import client_lists, clients, scores
from client_api.web import cursors
from client_api.web.pages import page_of, set_etag, versions_of
from client_api.web.requests import ClientIn, ClientPatch, ClientsQuery, RowId
from client_api.web.responses import ClientRow, ClientScore, Page
from client_api.web.state import Db, Shared
from client_api.web.strict import StrictRoute

router = APIRouter(prefix="/api/clients", tags=["clients"], route_class=StrictRoute)

ClientId = Annotated[RowId, Path()]
Actor = Annotated[str, Query(), StringConstraints(min_length=1, max_length=200)]
Versions = Annotated[list[int] | None, Depends(versions_of)]


@router.get("")
async def list_clients(db: Db, query: Annotated[ClientsQuery, Query()]) -> Page[ClientRow]:
    """List clients with their scores of the served day."""
    descending = query.sort.startswith("-")
    if query.sort.endswith("id"):
        by_id = cursors.decode(query.cursor, query.sort, cursors.BY_ID)
        rows = await client_lists.by_id(
            db,
            descending=descending,
            after=None if by_id is None else by_id[0],
            state=query.state,
            search=query.search,
            limit=query.limit + 1,
        )
        return page_of(rows, query.limit, lambda row: cursors.encode(query.sort, row.id))
    rows = await client_lists.by_score(
        db,
        descending=descending,
        after=cursors.decode(query.cursor, query.sort, cursors.BY_SCORE),
        state=query.state,
        search=query.search,
        limit=query.limit + 1,
    )
    return page_of(
        rows,
        query.limit,
        lambda row: cursors.encode(query.sort, row.score.score if row.score else None, row.id),
    )


@router.post("", status_code=HTTPStatus.CREATED)
async def create_client(db: Db, body: ClientIn, response: Response) -> ClientRow:
    """Create a client."""
    row = await clients.create(db, body)
    response.headers["Location"] = f"/api/clients/{row.id}"
    set_etag(response, row.version)
    return row


@router.get("/{client_id}")
async def read_client(db: Db, client_id: ClientId, response: Response) -> ClientRow:
    """Read a client with its score of the served day."""
    row = await clients.read(db, client_id)
    set_etag(response, row.version)
    return row


@router.patch("/{client_id}")
async def update_client(
    db: Db, client_id: ClientId, body: ClientPatch, versions: Versions, response: Response
) -> ClientRow:
    """Change some fields of a client."""
    row = await clients.update(db, client_id, body.changes, versions)
    set_etag(response, row.version)
    return row


@router.delete("/{client_id}", status_code=HTTPStatus.NO_CONTENT)
async def erase_client(
    db: Db, parts: Shared, client_id: ClientId, versions: Versions, actor: Actor = "client-api"
) -> None:
    """Erase a client: orders, scores and texts go with it, for ever.

    What was copied to topics and dead letters goes in a run that is started by it, and ends with an
    entry of the audit; `GET /api/operations` shows it.
    """
    await clients.erase(db, client_id, versions, actor=actor)
    parts.operator.erased()


@router.get("/{client_id}/score")
async def read_score(db: Db, client_id: ClientId) -> ClientScore:
    """Read a client's score of the served day, with why."""
    return await scores.read(db, client_id)
