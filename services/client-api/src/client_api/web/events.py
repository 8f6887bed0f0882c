"""Server-sent events over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from client_api.live.hub import Subscriber
from client_api.web.state import Parts, Shared

router = APIRouter(prefix="/api", tags=["events"])

DESCRIPTION = """Events from now on; read what the page shows once more whenever the stream opens.

- `score` (ScoreEvent): a client's score changed or merged another version.
- `episode` (EpisodeOpenedEvent or EpisodeClosedEvent, by `type`).
- `email` (EmailEvent): an episode's row changed its state.
- `served` (ServedEvent): another day is being served.
- `cut` (CutEvent): the stream ends; open it again.
"""
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


@router.get(
    "/events", description=DESCRIPTION, response_class=StreamingResponse, responses=RESPONSES
)
async def follow(parts: Shared) -> StreamingResponse:
    """Follow what happens, event by event."""
    subscriber = parts.hub.subscribe()
    return StreamingResponse(
        _stream(parts, subscriber),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _stream(parts: Parts, subscriber: Subscriber) -> AsyncIterator[bytes]:
    try:
        async for chunk in subscriber.events():
            yield chunk
    finally:
        parts.hub.unsubscribe(subscriber)
