"""Whole lists over HTTP: newline-delimited JSON out, page by page, constant memory.

The lines are the items of the lists. Each page is read by itself, so that a slow reader holds no
transaction open; rows that come meanwhile may or may not be among the lines, and none comes twice.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from client_api.auth import Caller, Scope, needs
from client_api.shapes.masking import hidden
from client_api.shapes.requests import ClientsFilter, OrdersFilter
from client_api.store import client_lists, orders
from client_api.web.answers import OPTIONS
from client_api.web.ndjson import MEDIA_TYPE
from client_api.web.state import Parts, Shared

router = APIRouter(prefix="/api", tags=["bulk"], dependencies=[needs(Scope.CLIENTS_READ)])

PAGE_ROWS = 1000

Lines = AsyncIterator[list[dict[str, Any]]]


def _gives(model: str) -> dict[int | str, dict[str, Any]]:
    """Describe the answer for the OpenAPI document: each line is one of these."""
    description = f"one {model} as JSON per line"
    content = {MEDIA_TYPE: {"schema": {"type": "string", "description": description}}}
    return {200: {"description": "All of them, streamed", "content": content}}


@router.get("/clients/bulk", response_class=StreamingResponse, responses=_gives("ClientRow"))
async def stream_clients(
    parts: Shared, who: Caller, query: Annotated[ClientsFilter, Query()]
) -> StreamingResponse:
    """Stream all clients by id, with their scores of the served day."""
    masked = not who.may(Scope.PII_READ)
    return _answer(_clients(parts, query), masked=masked)


@router.get("/orders/bulk", response_class=StreamingResponse, responses=_gives("OrderRow"))
async def stream_orders(
    parts: Shared, query: Annotated[OrdersFilter, Query()]
) -> StreamingResponse:
    """Stream all orders, newest first."""
    return _answer(_orders(parts, query), masked=False)


async def _clients(parts: Parts, query: ClientsFilter) -> Lines:
    after: int | None = None
    while True:
        rows = await client_lists.by_id(
            parts.reads,
            descending=False,
            after=after,
            state=query.state,
            search=None,
            limit=PAGE_ROWS,
        )
        if rows:
            yield rows
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1]["id"]


async def _orders(parts: Parts, query: OrdersFilter) -> Lines:
    after = None
    while True:
        rows = await orders.newest(
            parts.reads, client_id=query.client_id, after=after, limit=PAGE_ROWS
        )
        if rows:
            yield rows
        if len(rows) < PAGE_ROWS:
            return
        after = (rows[-1]["ordered_at"], rows[-1]["id"])


def _answer(pages: Lines, *, masked: bool) -> StreamingResponse:
    return StreamingResponse(_bytes(pages, masked=masked), media_type=MEDIA_TYPE)


async def _bytes(pages: Lines, *, masked: bool) -> AsyncIterator[bytes]:
    async for rows in pages:
        # What the veil does for whole documents, here row by row.
        shown = [hidden(row) for row in rows] if masked else rows
        yield b"".join(
            orjson.dumps(row, option=OPTIONS | orjson.OPT_APPEND_NEWLINE) for row in shown
        )
