"""Episodes over HTTP: every silence that was told of, whatever became of it."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from client_api.auth import Scope, needs
from client_api.shapes.episodes import EpisodeDetail, EpisodeRow, EpisodesQuery
from client_api.shapes.responses import Page
from client_api.store import episodes
from client_api.web.emails import EpisodeId
from client_api.web.episode_pages import answer, wanted
from client_api.web.state import Db, Shared
from client_api.web.strict import StrictRoute

router = APIRouter(
    prefix="/api/episodes",
    tags=["episodes"],
    route_class=StrictRoute,
    dependencies=[needs(Scope.EMAILS_READ)],
)


@router.get("", response_model=Page[EpisodeRow])
async def list_episodes(parts: Shared, query: Annotated[EpisodesQuery, Query()]) -> Response:
    """List episodes: when each opened, what was at risk, and how it ended."""
    rows = await episodes.page(parts.reads, wanted(query))
    return answer(rows, query, parts.currency)


@router.get("/{episode_id}")
async def read_episode(db: Db, parts: Shared, episode_id: EpisodeId) -> EpisodeDetail:
    """Read one episode with every step of it."""
    return await episodes.read(db, episode_id, parts.currency)
