"""Addresses that get no email any more, for people, over HTTP."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, Field, StringConstraints, TypeAdapter

from client_api.auth import Scope, needs
from client_api.shapes.requests import PageQuery, Strict, SuppressionIn
from client_api.shapes.responses import Page, SuppressionRow
from client_api.store import suppressions
from client_api.web import cursors
from client_api.web.pages import page_of
from client_api.web.repeats import keyed, of_nobody
from client_api.web.state import Audit, Db
from client_api.web.strict import StrictRoute

router = APIRouter(prefix="/api/suppressions", tags=["emails"], route_class=StrictRoute)

NEWEST = "-created"
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
PLACE: TypeAdapter[tuple[datetime, int]] = TypeAdapter(
    tuple[AwareDatetime, Annotated[int, Field(ge=1, le=2**31, strict=True)]]
)
"""A time, and how many of that time were shown: a cursor is readable, and a hash is personal."""


@router.get("", dependencies=[needs(Scope.EMAILS_READ)])
async def list_suppressions(db: Db, query: Annotated[PageQuery, Query()]) -> Page[SuppressionRow]:
    """List suppressed addresses, newest first; only their hashes are known."""
    after = cursors.decode(query.cursor, NEWEST, PLACE)
    rows = await suppressions.newest(db, after=after, limit=query.limit + 1)

    def cursor(last: SuppressionRow) -> str:
        seen = sum(row.created_at == last.created_at for row in rows[: query.limit])
        before = after[1] if after is not None and after[0] == last.created_at else 0
        return cursors.encode(NEWEST, last.created_at, before + seen)

    return page_of(rows, query.limit, cursor)


@router.post(
    "", status_code=HTTPStatus.CREATED, dependencies=[needs(Scope.EMAILS_APPROVE), keyed(of_nobody)]
)
async def suppress_address(db: Db, audit: Audit, body: Strict[SuppressionIn]) -> SuppressionRow:
    """Suppress an address: nobody who has it is written to any more, whatever the client."""
    row = await suppressions.add(db, body, audit.actor)
    audit.note("suppression.added", f"address/{row.address_hash}")
    return row


@router.delete(
    "/{address_hash}", status_code=HTTPStatus.NO_CONTENT, dependencies=[needs(Scope.EMAILS_APPROVE)]
)
async def lift_suppression(db: Db, audit: Audit, address_hash: Annotated[Hash, Path()]) -> None:
    """Lift a suppression. It gives back no consent: that is the client's to give."""
    await suppressions.lift(db, address_hash)
    audit.note("suppression.lifted", f"address/{address_hash}")
