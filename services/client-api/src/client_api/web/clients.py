"""Clients over HTTP."""

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from client_api.auth import Caller, Forbidden, Scope, needs
from client_api.problems import Gone
from client_api.shapes.fields import RowId
from client_api.shapes.requests import ClientIn, ClientPatch, ClientsQuery, Strict
from client_api.shapes.responses import ClientRow, ClientScore, Page
from client_api.store import client_lists, clients, scores
from client_api.web import answers, cursors
from client_api.web.pages import set_etag, versions_of
from client_api.web.repeats import keyed, of_itself
from client_api.web.state import Audit, Db, Parts, Shared
from client_api.web.strict import StrictRoute

router = APIRouter(prefix="/api/clients", tags=["clients"], route_class=StrictRoute)

ClientId = Annotated[RowId, Path()]
Versions = Annotated[list[int] | None, Depends(versions_of)]


@router.get("", dependencies=[needs(Scope.CLIENTS_READ)], response_model=Page[ClientRow])
async def list_clients(
    parts: Shared, who: Caller, query: Annotated[ClientsQuery, Query()]
) -> Response:
    """List clients with their scores of the served day.

    To search by name asks for `pii:read`, too; to search by id does not. A list by score or state
    is of one day: its `next` is 410 when another day is being served since.
    """
    if query.search is not None and not query.search.isdecimal() and not who.may(Scope.PII_READ):
        raise Forbidden([Scope.PII_READ])
    descending = query.sort.startswith("-")
    if query.sort.endswith("id"):
        by_id = cursors.decode(query.cursor, query.sort, cursors.BY_ID)
        rows = await client_lists.by_id(
            parts.reads,
            descending=descending,
            after=None if by_id is None else by_id[0],
            state=query.state,
            search=query.search,
            limit=query.limit + 1,
        )
    else:
        rows = await client_lists.by_score(
            parts.reads,
            descending=descending,
            after=cursors.decode(query.cursor, query.sort, cursors.BY_SCORE),
            state=query.state,
            search=query.search,
            limit=query.limit + 1,
        )
    if query.cursor is not None:
        await _still_served(parts, cursors.day_of(query.cursor))
    dated = query.state is not None or query.sort.endswith("score")
    day = next((row["score"]["as_of"] for row in rows if row["score"]), None) if dated else None
    return answers.page(rows, query.limit, lambda row: _behind(query.sort, row, day))


async def _still_served(parts: Parts, day: date | None) -> None:
    """Raise Gone when the rows just read are of another day than the cursor; days only advance."""
    if day is not None and day != await client_lists.served(parts.reads):
        raise Gone("another day is being served, on which clients have other places: start again")


def _behind(sort: str, row: dict[str, Any], day: date | None) -> str:
    if sort.endswith("id"):
        return cursors.encode(sort, row["id"], day=day)
    score = row["score"]
    return cursors.encode(sort, score and score["score"], row["id"], day=day)


@router.post(
    "", status_code=HTTPStatus.CREATED, dependencies=[needs(Scope.CLIENTS_WRITE), keyed(of_itself)]
)
async def create_client(
    db: Db, audit: Audit, body: Strict[ClientIn], response: Response
) -> ClientRow:
    """Create a client."""
    row = await clients.create(db, body)
    audit.note("client.created", f"client/{row.id}", row.version)
    response.headers["Location"] = f"/api/clients/{row.id}"
    set_etag(response, row.version)
    return row


@router.get("/{client_id}", dependencies=[needs(Scope.CLIENTS_READ)], response_model=ClientRow)
async def read_client(parts: Shared, client_id: ClientId) -> Response:
    """Read a client with its score of the served day."""
    return answers.one(await clients.find(parts.reads, client_id))


@router.patch("/{client_id}", dependencies=[needs(Scope.CLIENTS_WRITE)])
async def update_client(
    db: Db,
    audit: Audit,
    *,
    client_id: ClientId,
    body: Strict[ClientPatch],
    versions: Versions,
    response: Response,
) -> ClientRow:
    """Change some fields of a client."""
    row = await clients.update(db, client_id, body.changes, versions)
    audit.note("client.updated", f"client/{row.id}", row.version)
    set_etag(response, row.version)
    return row


@router.delete(
    "/{client_id}",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[needs(Scope.CLIENTS_WRITE, Scope.PII_READ)],
)
async def erase_client(
    db: Db, audit: Audit, parts: Shared, client_id: ClientId, versions: Versions
) -> None:
    """Erase a client: orders, scores and texts go with it, for ever.

    What was copied to topics and dead letters goes in a run that is started by it, and ends with an
    entry of the audit; `GET /api/operations` shows it.
    """
    gone = await clients.erase(db, client_id, versions)
    audit.note(clients.ERASED, f"client/{client_id}", gone["version"], gone)
    parts.operator.erased()


@router.get(
    "/{client_id}/score", dependencies=[needs(Scope.CLIENTS_READ)], response_model=ClientScore
)
async def read_score(parts: Shared, client_id: ClientId) -> Response:
    """Read a client's score of the served day, with why."""
    return answers.model(await scores.read(parts.reads, client_id, parts.currency))
