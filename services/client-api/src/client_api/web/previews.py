"""A quick look at what another policy would change, over HTTP."""

from decimal import Decimal

from fastapi import APIRouter

from client_api.auth import Scope, needs
from client_api.operations.trial import Difference, Standing
from client_api.shapes.money import money
from client_api.shapes.previews import PolicyPreview, PreviewIn, Side
from client_api.shapes.requests import Strict
from client_api.store import policies
from client_api.store.features import Stock
from client_api.web.state import Shared
from client_api.web.strict import StrictRoute
from common.score.model import State
from common.score.sweep import STATES

router = APIRouter(prefix="/api/policies", tags=["shop"], route_class=StrictRoute)


@router.post("/preview", dependencies=[needs(Scope.POLICY_READ)])
async def preview_policy(parts: Shared, body: Strict[PreviewIn]) -> PolicyPreview:
    """Try a policy on the stored features: who would enter and leave, and at what cost."""
    async with parts.engine.connect() as db:
        present = (await policies.current(db)).document.scoring
    over = {name: value for name, value in body.policy.items() if name != "version"}
    stock, found = await parts.previews.compare(present, over)
    return _told(stock, found, body.cost_per_email, parts.currency)


def _told(stock: Stock, found: Difference, cost: Decimal | None, currency: str) -> PolicyPreview:
    seen = stock.columns.n.size
    scale = stock.ordered / seen if seen else 1.0
    at_once = found.emails_at_once * scale

    def whole(count: int) -> int:
        return round(count * scale)

    def side(one: Standing) -> Side:
        per_day = one.emails_per_day * scale
        numbers = [int((one.states == i).sum()) for i in range(len(STATES))]
        by_state: dict[State, int] = {
            name: whole(number) for name, number in zip(STATES, numbers, strict=True)
        }
        by_state["no_orders"] = stock.clients - stock.ordered
        return Side(
            by_state=by_state,
            at_risk=by_state["at_risk"],
            expected_precision=one.precision,
            emails_per_day=per_day,
            cost_per_day=None if cost is None else money(Decimal(per_day) * cost, currency),
        )

    return PolicyPreview(
        as_of=stock.as_of,
        clients=stock.clients,
        seen=seen + stock.clients - stock.ordered,
        sampled=seen < stock.ordered,
        present=side(found.present),
        candidate=side(found.candidate),
        entering=whole(found.entering),
        leaving=whole(found.leaving),
        staying=whole(found.staying),
        held_for_a_person=whole(found.held),
        emails_at_once=at_once,
        cost_at_once=None if cost is None else money(Decimal(at_once) * cost, currency),
    )
