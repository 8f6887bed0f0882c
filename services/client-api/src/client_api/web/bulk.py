"""Bulk loads over HTTP: newline-delimited JSON in, chunk by chunk, constant memory."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError

from client_api.problems import WrongMediaType
from client_api.store import bulk
from client_api.store.bulk import Numbered, Refusal
from client_api.web.ndjson import Line, lines_of
from client_api.web.requests import Body, ClientIn, OrderIn
from client_api.web.responses import BulkError, BulkResult
from client_api.web.state import Shared

router = APIRouter(prefix="/api", tags=["bulk"])

CHUNK_ROWS = 1000
ERRORS_NAMED_MAX = 100
MEDIA_TYPES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})

Insert = Callable[[list[Numbered]], Awaitable[list[Refusal]]]


def _takes(model: type[Body]) -> dict[str, Any]:
    """Describe the body for the OpenAPI document: each line is one of these."""
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/x-ndjson": {
                    "schema": {
                        "type": "string",
                        "description": f"one {model.__name__} as JSON per line",
                    }
                }
            },
        }
    }


@router.post("/orders/bulk", openapi_extra=_takes(OrderIn))
async def load_orders(request: Request, parts: Shared) -> BulkResult:
    """Create many orders, a transaction per thousand; lines that are not valid are named."""

    async def insert(chunk: list[Numbered]) -> list[Refusal]:
        async with parts.engine.begin() as db:
            return await bulk.insert_orders(db, chunk, parts.clock.now())

    return await _load(request, OrderIn, insert)


@router.post("/clients/bulk", openapi_extra=_takes(ClientIn))
async def load_clients(request: Request, parts: Shared) -> BulkResult:
    """Create many clients, a transaction per thousand; lines that are not valid are named."""

    async def insert(chunk: list[Numbered]) -> list[Refusal]:
        async with parts.engine.begin() as db:
            return await bulk.insert_clients(db, chunk)

    return await _load(request, ClientIn, insert)


async def _load(request: Request, model: type[Body], insert: Insert) -> BulkResult:
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        raise WrongMediaType("send application/x-ndjson: one JSON object per line")
    tally = _Tally()
    chunk: list[Numbered] = []
    async for line in lines_of(request.stream()):
        checked = _check(line, model)
        if isinstance(checked, Refusal):
            tally.refuse([checked])
            continue
        chunk.append(checked)
        if len(chunk) == CHUNK_ROWS:
            tally.add(len(chunk), await insert(chunk))
            chunk = []
    if chunk:
        tally.add(len(chunk), await insert(chunk))
    return tally.result()


def _check(line: Line, model: type[Body]) -> Numbered | Refusal:
    if line.raw is None:
        return Refusal(line.number, "the line is too long")
    try:
        return Numbered(line.number, model.model_validate_json(line.raw))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)[:3]
        details = (
            f"{'.'.join(str(part) for part in e['loc']) or 'line'}: "
            f"{e['msg'].removeprefix('Value error, ')}"
            for e in found
        )
        return Refusal(line.number, "; ".join(details))


class _Tally:
    """How many lines went in, how many did not, and why the first hundred of these did not."""

    def __init__(self) -> None:
        self._accepted = 0
        self._rejected = 0
        self._errors: list[BulkError] = []

    def add(self, rows: int, refused: list[Refusal]) -> None:
        self._accepted += rows - len(refused)
        self.refuse(refused)

    def refuse(self, refused: list[Refusal]) -> None:
        self._rejected += len(refused)
        room = ERRORS_NAMED_MAX - len(self._errors)
        self._errors += [BulkError(line=r.line, detail=r.detail) for r in refused[:room]]

    def result(self) -> BulkResult:
        errors = sorted(self._errors, key=lambda error: error.line)
        return BulkResult(accepted=self._accepted, rejected=self._rejected, errors=errors)
