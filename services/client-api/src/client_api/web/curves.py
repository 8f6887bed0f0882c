"""A client's score over time, over HTTP."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from client_api.auth import Scope, needs
from client_api.problems import Invalid
from client_api.shapes.curves import CURVE_DAYS_MAX, ClientCurve, CurveQuery
from client_api.shapes.fields import RowId
from client_api.store import curves
from client_api.web import answers
from client_api.web.state import Shared
from client_api.web.strict import StrictRoute
from common.clock import date_of, number_of
from common.score.curve import curve
from common.score.model import assess

router = APIRouter(
    prefix="/api/clients",
    tags=["clients"],
    route_class=StrictRoute,
    dependencies=[needs(Scope.CLIENTS_READ)],
)

BACK, AHEAD = 365, 180
"""Days around the served one, where nothing else is asked for."""
FIRST, LAST = number_of(date.min), number_of(date.max)


@router.get("/{client_id}/curve", response_model=ClientCurve)
async def read_curve(
    parts: Shared,
    client_id: Annotated[RowId, Path()],
    query: Annotated[CurveQuery, Query()],
) -> Response:
    """Read a client's score day by day, past and future."""
    known = await curves.read(parts.reads, client_id, parts.operator.zone)
    begin, end = _range(query, known.as_of)
    policy = known.policy
    today = assess(known.ledger, number_of(known.as_of), policy)
    points = curve(known.ledger, begin, end, policy)
    # A thousand points as models would take ten times as long as all the rest.
    found = {
        "client_id": client_id,
        "as_of": known.as_of,
        "policy_version": policy.version,
        "entry": today.entry,
        "exit": today.exit,
        "points": [{"day": date_of(p.day), "score": p.score, "state": p.state} for p in points],
        "crossing_day": None if today.crossing_day is None else date_of(today.crossing_day),
        "lapse_day": None if today.lapse_day is None else date_of(today.lapse_day),
    }
    return answers.whole(found)


def _range(query: CurveQuery, as_of: date) -> tuple[int, int]:
    """Return first and last day; of what was not asked for, as much as there is room for."""
    today = number_of(as_of)
    begin = None if query.begin is None else number_of(query.begin)
    end = None if query.end is None else number_of(query.end)
    if begin is None:
        last = today if end is None else end
        begin = max(min(today, last) - BACK, last - CURVE_DAYS_MAX + 1, FIRST)
    if end is None:
        end = min(max(today, begin) + AHEAD, begin + CURVE_DAYS_MAX - 1, LAST)
    if end - begin >= CURVE_DAYS_MAX:
        detail = f"at most {CURVE_DAYS_MAX} days"
        raise Invalid("a curve of so many days is too long", [("query.to", detail)])
    return begin, end
