"""Where an email came from, over HTTP: from the order's row to the text, in one answer."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from fastapi import APIRouter

from client_api.auth import Scope, needs
from client_api.shapes.money import exactly, hundredths
from client_api.shapes.reports import (
    Checks,
    Fate,
    Lineage,
    RecordPlace,
    ScoreOfEpisode,
    TracedDay,
    TracedOrder,
)
from client_api.shapes.responses import EmailRow, PartsOfScore
from client_api.store import lineage
from client_api.store.lineage import Known
from client_api.web.emails import EpisodeId
from client_api.web.state import Shared
from client_api.web.strict import StrictRoute
from common.clock import date_of, day_of
from common.events import EpisodeOpened, EvidenceDay
from engage.trace import Image, Trace

router = APIRouter(prefix="/api", tags=["emails"], route_class=StrictRoute)

UNUSABLE = "unusable: "
"""How the mailer begins the outcome of a call whose text broke rules; they follow."""


@router.get("/emails/{episode_id}/lineage", dependencies=[needs(Scope.EMAILS_READ)])
async def read_lineage(parts: Shared, episode_id: EpisodeId) -> Lineage:
    """Trace an email back to the row changes that it came from.

    Reads the client's partition of both lanes, which takes its time; 503 when it takes too long.
    """
    async with parts.engine.connect() as db:
        known = await lineage.read(db, episode_id, parts.currency)
    event = known.detail.evidence
    opened = EpisodeOpened.model_validate(event) if event else None
    traces: Mapping[int, Trace] = {}
    if opened is not None:
        versions = {order: version for day in opened.evidence for order, version in day.orders}
        traces = await parts.operator.trace(opened.client_id, versions)
    score = None if opened is None else _score(opened, parts.operator.zone, parts.currency)
    evidence = [_day(day, traces, parts.currency) for day in opened.evidence] if opened else []
    return _lineage(known, evidence, score)


def _lineage(known: Known, evidence: list[TracedDay], score: ScoreOfEpisode | None) -> Lineage:
    detail = known.detail
    outcomes = [call.outcome for call in detail.calls]
    return Lineage(
        email=EmailRow.model_validate(detail.model_dump(include=set(EmailRow.model_fields))),
        facts_used=known.facts_used,
        written_as_of=known.written_as_of,
        erased=score is None,
        evidence=evidence,
        score=score,
        policy=known.policy,
        calls=detail.calls,
        checks=Checks(
            passed=known.checks,
            broken=[o.removeprefix(UNUSABLE) for o in outcomes if o.startswith(UNUSABLE)],
        ),
        decisions=detail.decisions,
        deliveries=known.deliveries,
        history=detail.history,
    )


def _score(opened: EpisodeOpened, zone: ZoneInfo, currency: str) -> ScoreOfEpisode:
    return ScoreOfEpisode(
        as_of=opened.as_of,
        day=date_of(day_of(opened.as_of, zone)),
        score=opened.score,
        entry=opened.entry,
        parts=PartsOfScore.model_validate(opened.parts.model_dump()),
        cause=opened.cause,
        value_at_risk=exactly(opened.value, currency),
        last_order_day=date_of(opened.last_order_day),
        crossing_day=date_of(opened.crossing_day),
        generation=opened.generation,
    )


def _day(day: EvidenceDay, traces: Mapping[int, Trace], currency: str) -> TracedDay:
    orders = [_order(order, version, traces[order]) for order, version in day.orders]
    amount = hundredths(day.cents, currency)
    return TracedDay(day=date_of(day.day), amount=amount, orders=orders)


def _order(order_id: int, version: int, found: Trace) -> TracedOrder:
    image, newest = found.image, found.newest
    content = image.content if image else None
    origin = image.origin if image else None
    return TracedOrder(
        order_id=order_id,
        version=version,
        image="kept" if image else _fate(newest, version),
        newest_version=newest.version if newest else None,
        ordered_at=content.ordered_at if content else None,
        amount=content.amount if content else None,
        currency=content.currency if content else None,
        status=content.status if content else None,
        lsn=origin.lsn if origin else None,
        raw=origin
        and RecordPlace(topic=origin.topic, partition=origin.partition, offset=origin.offset),
        event=image and RecordPlace(**image.place._asdict()),
    )


def _fate(newest: Image | None, version: int) -> Fate:
    """Tell what became of an image that no lane has any more."""
    if newest is None or newest.version < version:
        return "missing"
    return "removed" if newest.content is None else "superseded"
