"""All that is kept about one client, as one document to take away."""

from collections.abc import Iterator
from typing import IO, Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import StreamingResponse

from client_api.auth import Scope, needs
from client_api.shapes.fields import RowId
from client_api.shapes.reports import ClientExport
from client_api.store import exports
from client_api.web.state import Audit, Db
from client_api.web.strict import StrictRoute

router = APIRouter(prefix="/api", tags=["clients"], route_class=StrictRoute)

PART_BYTES = 64 * 1024
DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {"model": ClientExport, "description": "The document, as an attachment"}
}


@router.get(
    "/clients/{client_id}/export",
    response_class=StreamingResponse,
    responses=DOCUMENT,
    dependencies=[needs(Scope.CLIENTS_READ, Scope.PII_READ)],
)
async def export_client(
    db: Db, audit: Audit, client_id: Annotated[RowId, Path()]
) -> StreamingResponse:
    """Hand out everything that is kept about a client; the audit notes who asked."""
    file = await exports.collect(db, client_id, audit)
    return StreamingResponse(
        _parts_of(file),
        media_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="client-{client_id}.json"',
            "Cache-Control": "no-store",
        },
    )


def _parts_of(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(PART_BYTES):
            yield part
