"""``Idempotency-Key`` on creates, as a dependency of their routes."""

from hashlib import sha256
from typing import Annotated, Any

from fastapi import Depends, Header, Request

from client_api.once import Once, Whose
from client_api.web.state import Audit, Shared

Key = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="A repetition with the same key within 24 hours gets the first answer again",
    ),
]


def keyed(whose: Whose) -> Any:
    """Let a create be repeated by its key; ``whose`` tells from the answer whose data it holds.

    It stands behind ``needs(…)`` in a route's ``dependencies``: who may not ask gets no answer.
    """

    async def once(
        request: Request, parts: Shared, audit: Audit, idempotency_key: Key = None
    ) -> None:
        if idempotency_key is None:
            return
        audit.once = Once(
            audit.actor,
            idempotency_key,
            f"{request.method} {request.scope['route'].path}",
            sha256(await request.body()).digest(),
            whose,
        )
        async with parts.engine.connect() as db:
            await audit.once.look(db)

    return Depends(once)


def of_nobody(_: dict[str, Any]) -> None:
    """The answer holds nothing about a client."""


def of_itself(row: dict[str, Any]) -> int:
    """The answer is a client."""
    return int(row["id"])


def of_its_client(row: dict[str, Any]) -> int:
    """The answer names its client."""
    return int(row["client_id"])


def of_its_episode(row: dict[str, Any]) -> int:
    """The answer names an episode, whose id begins with the client's."""
    return int(row["episode_id"].split("-")[0])
