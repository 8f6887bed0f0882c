"""Episodes, their emails and people's decisions over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import StringConstraints

from client_api.auth import Scope, needs
from client_api.shapes.episodes import EpisodesQuery
from client_api.shapes.requests import DecisionIn, Strict
from client_api.shapes.responses import DecisionRow, EmailDetail, EmailRow, Page
from client_api.store import emails
from client_api.web.episode_pages import answer, wanted
from client_api.web.repeats import keyed, of_its_episode
from client_api.web.state import Audit, Db, Shared
from client_api.web.strict import StrictRoute

router = APIRouter(prefix="/api", tags=["emails"], route_class=StrictRoute)

EpisodeId = Annotated[str, Path(), StringConstraints(pattern=r"^[0-9-]+$", max_length=64)]


@router.get("/emails", dependencies=[needs(Scope.EMAILS_READ)], response_model=Page[EmailRow])
async def list_emails(parts: Shared, query: Annotated[EpisodesQuery, Query()]) -> Response:
    """List episodes with their emails."""
    rows = await emails.page(parts.reads, wanted(query))
    return answer(rows, query, parts.currency)


@router.get("/emails/{episode_id}", dependencies=[needs(Scope.EMAILS_READ)])
async def read_email(db: Db, parts: Shared, episode_id: EpisodeId) -> EmailDetail:
    """Read one episode with its email and all that happened to it."""
    return await emails.read(db, episode_id, parts.currency)


@router.post(
    "/decisions",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs(Scope.EMAILS_APPROVE), keyed(of_its_episode)],
)
async def decide(db: Db, audit: Audit, body: Strict[DecisionIn]) -> DecisionRow:
    """Decide about an episode; the mailer applies it and notes the outcome."""
    row = await emails.decide(db, body, audit.actor)
    detail = {"decision": row.id, "action": row.action}
    audit.note("decision.made", f"episode/{row.episode_id}", detail=detail)
    return row
