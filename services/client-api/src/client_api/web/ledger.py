"""The books of all episodes over HTTP."""

from fastapi import APIRouter

from client_api.auth import Scope, needs
from client_api.shapes.reports import LedgerBooks
from client_api.store import ledger
from client_api.web.state import Db
from client_api.web.strict import StrictRoute

router = APIRouter(prefix="/api", tags=["emails"], route_class=StrictRoute)


@router.get("/ledger", dependencies=[needs(Scope.EMAILS_READ)])
async def read_ledger(db: Db, *, each: bool = False) -> LedgerBooks:
    """Tell whether every episode is accounted for; ``each`` also compares history by history."""
    return await ledger.books(db, each=each)
