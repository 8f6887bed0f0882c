"""What the routes share, made at start and handed to every request."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, TypedDict, cast

from fastapi import Depends, Request, Response
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from client_api.auth.access import Access
from client_api.bounds import BulkBounds
from client_api.live.hub import Feed, Hub
from client_api.metrics import Metrics
from client_api.operations.counting import Counting
from client_api.operations.flow import FlowWatch
from client_api.operations.operator import Operator
from client_api.operations.preview import Previews
from client_api.store.orders import Defaults
from client_api.store.reads import Reads
from client_api.store.stamp import stamp
from client_api.trail import Trail
from client_api.web.kept import kept_headers
from common.clock import BusinessClock

READS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Parts:
    """The adapters of a running server."""

    engine: AsyncEngine
    reads: Reads
    """Lists and single rows, past the engine: one statement each."""
    access: Access
    """Whose tokens open the API; there is no way to serve without."""
    clock: BusinessClock
    hub: Hub
    feeds: tuple[Feed, ...]
    """What fills the hub, each started and stopped with the server."""
    model_sandbox: bool
    operator: Operator
    """What operators do: status, replays, backfills."""
    previews: Previews
    counting: Counting = field(default_factory=Counting)
    """Counts the shop, for all who ask."""
    metrics: Metrics = field(default_factory=Metrics)
    flow: FlowWatch | None = None
    """Measures how records flow, for Prometheus; only a server that runs for long has one."""
    bulk_bounds: BulkBounds = field(default_factory=BulkBounds)
    currency: str = "USD"
    """The shop's: what scores and values are reckoned in."""
    trust_traceparent: bool = False
    """Whether a caller's trace goes on, recorded or not as the caller says."""
    link_key: SecretStr | None = None
    """Checks the links by which clients end their emails; without it they answer 503."""

    @property
    def order_defaults(self) -> Defaults:
        """What an order gets at this moment that says less."""
        return Defaults(self.clock.now(), self.currency)


class State(TypedDict):
    """What the lifespan yields; Starlette copies it to every request."""

    parts: Parts


def parts_of(request: Request) -> Parts:
    """Return the server's parts."""
    return cast("Parts", request.state.parts)


async def _shared(request: Request) -> Parts:
    # FastAPI would run a plain function in another thread, which takes longer than a row's answer.
    return parts_of(request)


Shared = Annotated[Parts, Depends(_shared)]


def trail_of(request: Request) -> Trail:
    """Return the trail of a request, on which every write is noted."""
    found: Trail | None = getattr(request.state, "trail", None)
    if found is None:
        found = request.state.trail = Trail(
            request.state.principal.subject,
            f"{request.method} {request.scope['route'].path}",
            request.state.request_id,
        )
    return found


async def _audit(request: Request) -> Trail:
    return trail_of(request)


Audit = Annotated[Trail, Depends(_audit)]


class Unaccounted(Exception):
    """A route wrote and noted nothing: a bug, and the write is undone."""


async def transaction(request: Request, parts: Shared) -> AsyncIterator[AsyncConnection]:
    """One request, one transaction: committed before the answer leaves, undone by any error.

    What a write noted for the audit goes into it; one that noted nothing is not committed.
    """
    async with parts.engine.begin() as connection:
        if request.method in READS:
            yield connection
        else:
            trail = trail_of(request)
            await stamp(connection)
            if trail.once is not None:
                await trail.once.take(connection)
            yield connection
            if trail.once is not None:
                answer: Response = request.state.answer
                headers = kept_headers(answer)
                await trail.once.keep(connection, answer.status_code, headers, bytes(answer.body))
            await trail.keep(connection)
            if not trail.complete:
                raise Unaccounted


Db = Annotated[AsyncConnection, Depends(transaction, scope="function")]
"""Scope "function": by default FastAPI would send the answer first and commit after."""
