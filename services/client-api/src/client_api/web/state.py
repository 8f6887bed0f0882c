"""What the routes share, made at start and handed to every request."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, TypedDict, cast

from fastapi import Depends, Request
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from client_api.live.hub import Feed, Hub
from client_api.operations.operator import Operator
from common.clock import BusinessClock


@dataclass(frozen=True)
class Parts:
    """The adapters of a running server."""

    engine: AsyncEngine
    clock: BusinessClock
    hub: Hub
    feeds: tuple[Feed, ...]
    """What fills the hub, each started and stopped with the server."""
    model_sandbox: bool
    operator: Operator
    """What operators do: status, replays, backfills."""
    link_key: SecretStr | None = None
    """Checks the links by which clients end their emails; without it they answer 503."""


class State(TypedDict):
    """What the lifespan yields; Starlette copies it to every request."""

    parts: Parts


def parts_of(request: Request) -> Parts:
    """Return the server's parts."""
    return cast("Parts", request.state.parts)


Shared = Annotated[Parts, Depends(parts_of)]


async def transaction(parts: Shared) -> AsyncIterator[AsyncConnection]:
    """One request, one transaction: committed before the answer leaves, undone by any error."""
    async with parts.engine.begin() as connection:
        yield connection


Db = Annotated[AsyncConnection, Depends(transaction, scope="function")]
"""Scope "function": by default FastAPI would send the answer first and commit after."""
