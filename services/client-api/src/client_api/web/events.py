"""Server-sent events over HTTP."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Header, Response
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Send
from starlette.types import Scope as ScopeOfRequest

from client_api.auth import Principal, Scope, needs_one, says_one
from client_api.live.events import Kind
from client_api.live.hub import Subscriber
from client_api.web.state import Parts, Shared

router = APIRouter(prefix="/api", tags=["events"])

SEND_LIMIT_S = 60.0
"""A page that takes nothing for so long is gone: four heartbeats."""

READABLE: dict[Scope, frozenset[Kind]] = {
    Scope.CLIENTS_READ: frozenset({"score", "served"}),
    Scope.EMAILS_READ: frozenset({"episode", "email"}),
}
"""What a page is told of, by the scope that its resources are read with."""

DESCRIPTION = """Events from now on, or behind `Last-Event-ID`, of what the token may read.

Read what the page shows whenever the stream opens without that header, and after a `reset`.
With `clients:read`:

- `score` (ScoreEvent): a client's score changed or merged another version.
- `served` (ServedEvent): another day is being served.

With `emails:read`:

- `episode` (EpisodeOpenedEvent or EpisodeClosedEvent, by `type`).
- `email` (EmailEvent): an episode's row changed its state.

A token with neither of these scopes is a 403. With any token:

- `place`, at the beginning and every 15 s that nothing else is told: its id is where the stream is.
  Its data is empty, so `EventSource` takes the id and tells nobody.
- `reset` (ResetEvent): events are missing before the next one: `gone`, the id is too old or of
  another server; `slow`, the page fell behind; `missed`, the server did. Read again.
- `cut` (CutEvent): the stream ends; open it again, with a new token when the old one expired.
"""
ONE: dict[str, Any] = {
    "schema": {
        "description": "One event of the stream",
        "type": "object",
        "properties": {
            "event": {"enum": ["score", "episode", "email", "served", "place", "reset", "cut"]},
            "id": {"type": "string"},
            "data": {"type": "string", "contentMediaType": "application/json"},
        },
        "required": ["event", "data"],
    },
    "example": {
        "event": "email",
        "id": "5f0c9b1e-42",
        "data": '{"episode_id":"42-20605","client_id":42,"state":"sent"}',
    },
}
"""As OpenAPI 3.2 will say with ``itemSchema``: a stream is a sequence of these."""
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The events, one after another", "content": {"text/event-stream": ONE}}
}

log = structlog.get_logger("client_api.web")


@router.get(
    "/events",
    description=DESCRIPTION,
    response_class=StreamingResponse,
    responses=RESPONSES,
    openapi_extra=says_one(*READABLE),
)
async def follow(
    parts: Shared,
    who: Annotated[Principal, needs_one(*READABLE)],
    last_event_id: Annotated[str | None, Header(max_length=100)] = None,
) -> Response:
    """Follow what happens, event by event, until the token expires."""
    return EventStream(parts, who, last_event_id)


def kinds_for(who: Principal) -> frozenset[Kind]:
    """Return the kinds of events whose resources a caller may read."""
    return frozenset[Kind]().union(*(kinds for scope, kinds in READABLE.items() if who.may(scope)))


class EventStream(Response):
    """A stream of events. Nothing is held before it begins, and all is given back at its end."""

    def __init__(self, parts: Parts, who: Principal, last_event_id: str | None) -> None:
        """Plan a stream behind an id, if one is given."""
        super().__init__()
        self._parts = parts
        self._who = who
        self._kinds = kinds_for(who)
        self._last_event_id = last_event_id

    async def __call__(self, scope: ScopeOfRequest, receive: Receive, send: Send) -> None:
        """Send the events; raises TooMany, Unavailable before the first byte."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(SEND_LIMIT_S):
                await send(message)

        with self._page() as page:
            stream = StreamingResponse(
                page.events(),
                media_type="text/event-stream",
                headers={"X-Accel-Buffering": "no"},
            )
            await stream(scope, receive, send_in_time)

    @contextmanager
    def _page(self) -> Iterator[Subscriber]:
        """Hold a page open; it is cut off when the token expires."""
        with (
            self._parts.access.streams.one(self._who.subject),
            self._parts.hub.page(self._last_event_id, self._kinds) as page,
        ):
            left = max(0.0, self._who.expires_at - time.time())
            expiry = asyncio.get_running_loop().call_later(left, page.cut, "expired")
            try:
                yield page
            finally:
                expiry.cancel()
