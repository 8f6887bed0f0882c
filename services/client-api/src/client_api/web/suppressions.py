"""Addresses that get no email any more, for people, over HTTP."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, StringConstraints, TypeAdapter

from client_api.store import suppressions
from client_api.web import cursors
from client_api.web.pages import page_of
from client_api.web.requests import Actor, PageQuery, SuppressionIn
from client_api.web.responses import Page, SuppressionRow
from client_api.web.state import Db
from client_api.web.strict import StrictRoute

router = APIRouter(prefix="/api/suppressions", tags=["emails"], route_class=StrictRoute)

NEWEST = "-created"
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
PLACE: TypeAdapter[tuple[datetime, str]] = TypeAdapter(tuple[AwareDatetime, Hash])


@router.get("")
async def list_suppressions(db: Db, query: Annotated[PageQuery, Query()]) -> Page[SuppressionRow]:
    """List suppressed addresses, newest first; only their hashes are known."""
    after = cursors.decode(query.cursor, NEWEST, PLACE)
    rows = await suppressions.newest(db, after=after, limit=query.limit + 1)
    return page_of(
        rows, query.limit, lambda row: cursors.encode(NEWEST, row.created_at, row.address_hash)
    )


@router.post("", status_code=HTTPStatus.CREATED)
async def suppress_address(db: Db, body: SuppressionIn) -> SuppressionRow:
    """Suppress an address: nobody who has it is written to any more, whatever the client."""
    return await suppressions.add(db, body)


@router.delete("/{address_hash}", status_code=HTTPStatus.NO_CONTENT)
async def lift_suppression(
    db: Db, address_hash: Annotated[Hash, Path()], actor: Annotated[Actor, Query()]
) -> None:
    """Lift a suppression. It gives back no consent: that is the client's to give."""
    await suppressions.lift(db, address_hash, actor)
