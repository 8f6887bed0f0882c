"""Orders over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from client_api.store import orders
from client_api.web import cursors
from client_api.web.pages import page_of, set_etag, versions_of
from client_api.web.requests import OrderIn, OrderPatch, OrdersQuery, RowId
from client_api.web.responses import OrderRow, Page
from client_api.web.state import Db, Shared
from client_api.web.strict import StrictRoute

router = APIRouter(prefix="/api/orders", tags=["orders"], route_class=StrictRoute)

NEWEST = "-ordered_at"
OrderId = Annotated[RowId, Path()]
Versions = Annotated[list[int] | None, Depends(versions_of)]


@router.get("")
async def list_orders(db: Db, query: Annotated[OrdersQuery, Query()]) -> Page[OrderRow]:
    """List orders, newest first."""
    rows = await orders.newest(
        db,
        client_id=query.client_id,
        after=cursors.decode(query.cursor, NEWEST, cursors.BY_TIME),
        limit=query.limit + 1,
    )
    return page_of(rows, query.limit, lambda row: cursors.encode(NEWEST, row.ordered_at, row.id))


@router.post("", status_code=HTTPStatus.CREATED)
async def create_order(db: Db, parts: Shared, body: OrderIn, response: Response) -> OrderRow:
    """Create an order; without a date it gets the business clock's time."""
    row = await orders.create(db, body, parts.clock.now())
    response.headers["Location"] = f"/api/orders/{row.id}"
    set_etag(response, row.version)
    return row


@router.get("/{order_id}")
async def read_order(db: Db, order_id: OrderId, response: Response) -> OrderRow:
    """Read an order."""
    row = await orders.read(db, order_id)
    set_etag(response, row.version)
    return row


@router.patch("/{order_id}")
async def update_order(
    db: Db, order_id: OrderId, body: OrderPatch, versions: Versions, response: Response
) -> OrderRow:
    """Change some fields of an order; another client_id moves it to that client."""
    row = await orders.update(db, order_id, body.changes, versions)
    set_etag(response, row.version)
    return row


@router.delete("/{order_id}", status_code=HTTPStatus.NO_CONTENT)
async def delete_order(db: Db, order_id: OrderId, versions: Versions) -> None:
    """Delete an order."""
    await orders.delete(db, order_id, versions)
