"""Bulk loads over HTTP: newline-delimited JSON in, chunk by chunk, constant memory."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.auth import Scope, needs
from client_api.bounds import BulkBounds
from client_api.load_once import LoadOnce
from client_api.problems import TooLarge, WrongMediaType
from client_api.shapes import strict_json
from client_api.shapes.requests import Body, ClientIn, OrderIn
from client_api.shapes.responses import BulkResult
from client_api.store import bulk, bulk_trials
from client_api.store.bulk import Numbered, Refusal
from client_api.store.bulk_trials import SeenIds
from client_api.store.orders import Defaults
from client_api.trail import Trail
from client_api.web.ndjson import MEDIA_TYPE, MEDIA_TYPES, Line, TooMuch, lines_of
from client_api.web.repeats import Key
from client_api.web.state import Audit, Parts, Shared
from client_api.web.strict import media_type
from client_api.web.tally import Tally

router = APIRouter(prefix="/api", tags=["bulk"])

CHUNK_ROWS = 1000

Take = Callable[[list[Numbered]], Awaitable[list[Refusal]]]
Insert = Callable[[AsyncConnection, list[Numbered], Defaults], Awaitable[list[Refusal]]]
Check = Callable[[AsyncConnection, list[Numbered], SeenIds], Awaitable[list[Refusal]]]
DryRun = Annotated[bool, Query(description="Check every row, against the database too; write none")]

EITHER: dict[int | str, dict[str, Any]] = {
    200: {
        "model": BulkResult,
        "description": "How it went; with `Accept: application/x-ndjson` a line for every refused "
        "row as far as they are named, and at last the counts",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}


class _Kind(NamedTuple):
    """What the lines of a load are, and what becomes of a chunk of them."""

    name: str
    model: type[Body]
    insert: Insert
    check: Check


ORDERS = _Kind("orders", OrderIn, bulk.insert_orders, bulk_trials.check_orders)
CLIENTS = _Kind(
    "clients",
    ClientIn,
    lambda db, chunk, _: bulk.insert_clients(db, chunk),
    bulk_trials.check_clients,
)


def _takes(model: type[Body]) -> dict[str, Any]:
    """Describe the body for the OpenAPI document: each line is one of these."""
    return {
        "requestBody": {
            "required": True,
            "content": {
                MEDIA_TYPE: {
                    "schema": {
                        "type": "string",
                        "description": f"one {model.__name__} as JSON per line",
                    }
                }
            },
        }
    }


class _Load(NamedTuple):
    """What a request asks for besides its rows."""

    parts: Parts
    audit: Trail
    dry_run: bool
    once: LoadOnce | None
    """The idempotency key that it named, if it did; a dry run needs none."""


async def _load_of(
    request: Request,
    parts: Shared,
    audit: Audit,
    *,
    dry_run: DryRun = False,
    idempotency_key: Key = None,
) -> _Load:
    once = None
    if idempotency_key is not None and not dry_run:
        once = LoadOnce(audit.actor, request.scope["route"].path, idempotency_key)
    return _Load(parts, audit, dry_run, once)


@router.post(
    "/orders/bulk",
    openapi_extra=_takes(OrderIn),
    responses=EITHER,
    dependencies=[needs(Scope.CLIENTS_WRITE)],
)
async def load_orders(request: Request, load: Annotated[_Load, Depends(_load_of)]) -> Response:
    """Create many orders, a transaction per thousand; lines that are not valid are named.

    A load that is too long is a 413 that says up to which line it was taken. One that broke off may
    be sent again whole under its idempotency key: chunks that are in are passed over.
    """
    return await _load(ORDERS, request, load)


@router.post(
    "/clients/bulk",
    openapi_extra=_takes(ClientIn),
    responses=EITHER,
    dependencies=[needs(Scope.CLIENTS_WRITE)],
)
async def load_clients(request: Request, load: Annotated[_Load, Depends(_load_of)]) -> Response:
    """Create many clients, a transaction per thousand; lines that are not valid are named.

    A load that is too long is a 413 that says up to which line it was taken. One that broke off may
    be sent again whole under its idempotency key: chunks that are in are passed over.
    """
    return await _load(CLIENTS, request, load)


async def _note(audit: Trail, db: AsyncConnection, what: str, rows: int) -> None:
    """Keep one entry for a chunk, in the chunk's own transaction."""
    if rows:
        audit.note(f"{what}.loaded", what, detail={"rows": rows})
        await audit.keep(db)


async def _load(kind: _Kind, request: Request, load: _Load) -> Response:
    if media_type(request) not in MEDIA_TYPES:
        raise WrongMediaType("send application/x-ndjson: one JSON object per line")
    parts, once = load.parts, load.once

    async def insert(chunk: list[Numbered]) -> list[Refusal]:
        async with parts.engine.begin() as db:
            refused = None if once is None else await once.done(db)
            if refused is None:
                refused = await kind.insert(db, chunk, parts.order_defaults)
                await _note(load.audit, db, kind.name, len(chunk) - len(refused))
                if once is not None:
                    await once.keep(db, refused)
        if once is not None:
            once.go_on()
        return refused

    async def check(chunk: list[Numbered]) -> list[Refusal]:
        async with parts.engine.connect() as db:
            return await kind.check(db, chunk, seen)

    bounds = parts.bulk_bounds
    _refuse_at_once(request, bounds)
    each = MEDIA_TYPE in request.headers.get("accept", "")
    tally = Tally(each=each, dry_run=load.dry_run, bytes_max=bounds.refusals_bytes_max)
    lines = lines_of(request.stream(), lines_max=bounds.lines_max, bytes_max=bounds.bytes_max)
    try:
        with SeenIds() as seen:
            await _take(_heard(lines, once), kind.model, check if load.dry_run else insert, tally)
        if once is not None:
            async with parts.engine.begin() as db:
                await once.end(db)
    except BaseException:
        tally.close()
        raise
    answer = tally.answer()
    if once is not None and once.ended_before:
        answer.headers["Idempotent-Replayed"] = "true"
    return answer


async def _heard(lines: AsyncIterator[Line], once: LoadOnce | None) -> AsyncIterator[Line]:
    """Pass lines on, each of them heard by a load that is done once."""
    async for line in lines:
        if once is not None:
            once.hear(line.number, line.raw)
        yield line


def _refuse_at_once(request: Request, bounds: BulkBounds) -> None:
    """Raise TooLarge when the body says itself that it is."""
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > bounds.bytes_max:
        raise TooLarge(f"a load may have at most {bounds.bytes_max} bytes; no line of it was taken")


async def _take(lines: AsyncIterator[Line], model: type[Body], take: Take, tally: Tally) -> None:
    """Take all lines; raises TooLarge behind those before a bound, which were taken."""
    chunk: list[Numbered] = []
    end: TooMuch | None = None
    try:
        async for line in lines:
            checked = _check(line, model)
            if isinstance(checked, Refusal):
                tally.refuse([checked])
                continue
            chunk.append(checked)
            if len(chunk) == CHUNK_ROWS:
                tally.add(len(chunk), await take(chunk))
                chunk = []
    except TooMuch as too_much:
        end = too_much
    if chunk:
        tally.add(len(chunk), await take(chunk))
    if end is not None:
        raise TooLarge(
            f"a load may have at most {end.bound}; of its first {end.lines} lines {tally.counts}, "
            "and none after them was looked at: send the others by themselves"
        )


def _check(line: Line, model: type[Body]) -> Numbered | Refusal:
    if line.raw is None:
        return Refusal(line.number, "the line is too long")
    try:
        return Numbered(line.number, strict_json.read(model, line.raw))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)[:3]
        details = (
            f"{'.'.join(str(part) for part in e['loc']) or 'line'}: "
            f"{e['msg'].removeprefix('Value error, ')}"
            for e in found
        )
        return Refusal(line.number, "; ".join(details))
