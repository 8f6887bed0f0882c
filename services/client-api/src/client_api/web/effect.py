"""What writing to clients did, over HTTP."""

from fastapi import APIRouter

from client_api.auth import Scope, needs
from client_api.problems import NotFound
from client_api.shapes.reports import Effect, EffectArm, PointsApart, Rate
from client_api.store import figures
from client_api.store.figures import Counted
from client_api.web.state import Db
from client_api.web.strict import StrictRoute
from common.effect import DIFFERENCE, LEVEL, POWER, Arm, difference, needed_per_arm, wilson

router = APIRouter(prefix="/api", tags=["emails"], route_class=StrictRoute)

POINTS = 100


@router.get("/effect", dependencies=[needs(Scope.CLIENTS_READ)])
async def read_effect(db: Db) -> Effect:
    """Compare orders of clients that were written to with those of clients held out.

    The projector counted them, once for everybody; 404 before it did so for the first time.
    """
    found = await figures.newest(db)
    if not found:
        raise NotFound("nothing is counted yet: the first day is not served")
    return judged(found[0])


def judged(counted: Counted) -> Effect:
    """Return what both arms say, as they were counted."""
    held_out, other = counted.arms.held_out, counted.arms.not_held_out
    needed = needed_per_arm(held_out.rate if held_out.clients else None)
    enough = min(held_out.clients, other.clients) >= needed
    apart = difference(other, held_out) if enough else None
    return Effect(
        enough=enough,
        needed_per_arm=needed,
        smallest_points=DIFFERENCE * POINTS,
        power=POWER,
        level=LEVEL,
        as_of=counted.effect_as_of,
        window_days=counted.window_days,
        waiting=counted.arms.waiting,
        held_out=_arm(held_out, shown=enough),
        not_held_out=_arm(other, shown=enough),
        difference=apart
        and PointsApart(
            points=apart.value * POINTS,
            low=apart.interval.low * POINTS,
            high=apart.interval.high * POINTS,
        ),
    )


def _arm(arm: Arm, *, shown: bool) -> EffectArm:
    if not shown:
        return EffectArm(clients=arm.clients, ordered=None, rate=None)
    low, high = wilson(arm)
    return EffectArm(
        clients=arm.clients, ordered=arm.ordered, rate=Rate(value=arm.rate, low=low, high=high)
    )
