"""Orders over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from client_api.auth import Scope, needs
from client_api.shapes.fields import RowId
from client_api.shapes.requests import OrderIn, OrderPatch, OrdersQuery, Strict
from client_api.shapes.responses import OrderRow, Page
from client_api.store import orders
from client_api.web import answers, cursors
from client_api.web.pages import set_etag, versions_of
from client_api.web.repeats import keyed, of_its_client
from client_api.web.state import Audit, Db, Shared
from client_api.web.strict import StrictRoute

router = APIRouter(prefix="/api/orders", tags=["orders"], route_class=StrictRoute)

NEWEST = "-ordered_at"
OrderId = Annotated[RowId, Path()]
Versions = Annotated[list[int] | None, Depends(versions_of)]


@router.get("", dependencies=[needs(Scope.CLIENTS_READ)], response_model=Page[OrderRow])
async def list_orders(parts: Shared, query: Annotated[OrdersQuery, Query()]) -> Response:
    """List orders, newest first."""
    rows = await orders.newest(
        parts.reads,
        client_id=query.client_id,
        after=cursors.decode(query.cursor, NEWEST, cursors.BY_TIME),
        limit=query.limit + 1,
    )
    return answers.page(
        rows, query.limit, lambda row: cursors.encode(NEWEST, row["ordered_at"], row["id"])
    )


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs(Scope.CLIENTS_WRITE), keyed(of_its_client)],
)
async def create_order(
    db: Db, audit: Audit, parts: Shared, body: Strict[OrderIn], response: Response
) -> OrderRow:
    """Create an order; the business clock's time and the shop's currency are its own by default."""
    row = await orders.create(db, body, parts.order_defaults)
    audit.note("order.created", f"order/{row.id}", row.version)
    response.headers["Location"] = f"/api/orders/{row.id}"
    set_etag(response, row.version)
    return row


@router.get("/{order_id}", dependencies=[needs(Scope.CLIENTS_READ)])
async def read_order(db: Db, order_id: OrderId, response: Response) -> OrderRow:
    """Read an order."""
    row = await orders.read(db, order_id)
    set_etag(response, row.version)
    return row


@router.patch("/{order_id}", dependencies=[needs(Scope.CLIENTS_WRITE)])
async def update_order(
    db: Db,
    audit: Audit,
    *,
    order_id: OrderId,
    body: Strict[OrderPatch],
    versions: Versions,
    response: Response,
) -> OrderRow:
    """Change some fields of an order; another client_id moves it to that client."""
    row = await orders.update(db, order_id, body.changes, versions)
    audit.note("order.updated", f"order/{row.id}", row.version)
    set_etag(response, row.version)
    return row


@router.delete(
    "/{order_id}", status_code=HTTPStatus.NO_CONTENT, dependencies=[needs(Scope.CLIENTS_WRITE)]
)
async def delete_order(db: Db, audit: Audit, order_id: OrderId, versions: Versions) -> None:
    """Delete an order."""
    version = await orders.delete(db, order_id, versions)
    audit.note("order.deleted", f"order/{order_id}", version)
