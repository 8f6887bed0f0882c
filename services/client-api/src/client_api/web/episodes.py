"""Episodes over HTTP: every silence that was told of, whatever became of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import TypeAdapter

from client_api.auth import Scope, needs
from client_api.shapes.episodes import EpisodeDetail, EpisodeRow, EpisodesQuery
from client_api.shapes.responses import Page
from client_api.store import episodes
from client_api.web import cursors
from client_api.web.emails import EpisodeId
from client_api.web.state import Db, Shared
from client_api.web.strict import StrictRoute

router = APIRouter(
    prefix="/api/episodes",
    tags=["episodes"],
    route_class=StrictRoute,
    dependencies=[needs(Scope.EMAILS_READ)],
)

PLACES: dict[str, TypeAdapter[Any]] = {"-value": cursors.BY_VALUE, "-created": cursors.BY_CREATION}


@router.get("")
async def list_episodes(
    db: Db, parts: Shared, query: Annotated[EpisodesQuery, Query()]
) -> Page[EpisodeRow]:
    """List episodes: when each opened, what was at risk, and how it ended."""
    found = await episodes.page(
        db,
        sort=query.sort,
        after=cursors.decode(query.cursor, query.sort, PLACES[query.sort]),
        state=query.state,
        client_id=query.client_id,
        limit=query.limit + 1,
        currency=parts.currency,
    )
    shown = found[: query.limit]
    last = shown[-1] if len(found) > query.limit else None
    return Page(
        items=[one.row for one in shown],
        next=last and cursors.encode(query.sort, last.key, last.row.episode_id),
    )


@router.get("/{episode_id}")
async def read_episode(db: Db, parts: Shared, episode_id: EpisodeId) -> EpisodeDetail:
    """Read one episode with every step of it."""
    return await episodes.read(db, episode_id, parts.currency)
