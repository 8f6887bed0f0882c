"""Episodes, their emails and people's decisions over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import StringConstraints

from client_api.store import emails
from client_api.web import cursors
from client_api.web.pages import page_of
from client_api.web.requests import DecisionIn, EmailsQuery
from client_api.web.responses import DecisionRow, EmailDetail, EmailRow, Page
from client_api.web.state import Db
from client_api.web.strict import StrictRoute

router = APIRouter(prefix="/api", tags=["emails"], route_class=StrictRoute)

EpisodeId = Annotated[str, Path(), StringConstraints(pattern=r"^[0-9-]+$", max_length=64)]


@router.get("/emails")
async def list_emails(db: Db, query: Annotated[EmailsQuery, Query()]) -> Page[EmailRow]:
    """List episodes with their emails."""
    if query.sort == "-value":
        rows = await emails.most_valuable(
            db,
            after=cursors.decode(query.cursor, query.sort, cursors.BY_VALUE),
            state=query.state,
            client_id=query.client_id,
            limit=query.limit + 1,
        )
        return page_of(
            rows,
            query.limit,
            lambda row: cursors.encode(query.sort, row.value_at_risk, row.episode_id),
        )
    rows = await emails.newest(
        db,
        after=cursors.decode(query.cursor, query.sort, cursors.BY_CREATION),
        state=query.state,
        client_id=query.client_id,
        limit=query.limit + 1,
    )
    return page_of(
        rows, query.limit, lambda row: cursors.encode(query.sort, row.created_at, row.episode_id)
    )


@router.get("/emails/{episode_id}")
async def read_email(db: Db, episode_id: EpisodeId) -> EmailDetail:
    """Read one episode with its email and all that happened to it."""
    return await emails.read(db, episode_id)


@router.post("/decisions", status_code=HTTPStatus.CREATED)
async def decide(db: Db, body: DecisionIn) -> DecisionRow:
    """Decide about an episode; the mailer applies it and notes the outcome."""
    return await emails.decide(db, body)
