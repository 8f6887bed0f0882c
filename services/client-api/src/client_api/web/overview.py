"""Where the whole shop stands, over HTTP: figures that were counted already, and the flow."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from client_api.auth import Scope, needs
from client_api.shapes.money import money
from client_api.shapes.overview import (
    EffectInShort,
    Figures,
    HistoryQuery,
    Overview,
    OverviewHistory,
)
from client_api.store import figures
from client_api.store.figures import Counted
from client_api.web.effect import judged
from client_api.web.state import Db, Shared
from client_api.web.strict import StrictRoute

router = APIRouter(
    prefix="/api/overview",
    tags=["shop"],
    route_class=StrictRoute,
    dependencies=[needs(Scope.CLIENTS_READ)],
)


@router.get("")
async def read_overview(db: Db, parts: Shared) -> Overview:
    """Read where the shop stands: its figures as the projector counted them last, and the flow."""
    pipeline = await parts.operator.pipeline.look()
    found = await figures.newest(db)
    if not found:
        return Overview(**dict.fromkeys(NOT_COUNTED), pipeline=pipeline)
    counted = found[0]
    return Overview(
        **_figures(counted, parts.currency).model_dump(),
        effect=_effect(counted),
        pipeline=pipeline,
    )


NOT_COUNTED = frozenset(Overview.model_fields) - {"pipeline"}


@router.get("/history")
async def read_overview_history(
    db: Db, parts: Shared, query: Annotated[HistoryQuery, Query()]
) -> OverviewHistory:
    """Read the figures day by day, back from the served one."""
    found = await figures.newest(db)
    if found:
        after = found[0].as_of - timedelta(days=query.days)
        found = await figures.newest(db, limit=query.days, after=after)
    return OverviewHistory(days=[_figures(one, parts.currency) for one in reversed(found)])


def _figures(counted: Counted, currency: str) -> Figures:
    return Figures(
        as_of=counted.as_of,
        counted_at=counted.counted_at,
        clients_by_state=counted.clients_by_state,
        unscored=counted.unscored,
        at_risk_value=money(counted.at_risk_value, currency),
        emails_by_state=counted.emails_by_state,
        recovered_value=money(counted.recovered_value, currency),
        recovered_clients=counted.recovered_clients,
    )


def _effect(counted: Counted) -> EffectInShort:
    full = judged(counted)
    return EffectInShort(
        enough=full.enough,
        needed_per_arm=full.needed_per_arm,
        window_days=full.window_days,
        held_out=full.held_out.clients,
        not_held_out=full.not_held_out.clients,
        waiting=full.waiting,
        difference=full.difference,
    )
