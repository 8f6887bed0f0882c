"""Score records as the scorer writes them, made from ledgers with the shared score."""

from datetime import UTC, datetime, timedelta
from typing import Any

from client_api.projector.records import FeatureRow, read
from common.clock import EPOCH, date_of
from common.codec import encode
from common.events import ClientScored, ScoreFeatures, ScoreParts, episode_id_of
from common.score.ledger import Ledger, entry_of_order, ledger_of
from common.score.model import assess, parts_on
from common.score.policy import Policy

POLICY = Policy()
AT = datetime(2026, 1, 1, tzinfo=UTC)
TODAY = (AT.date() - EPOCH).days


def ledger(days_ago: list[int], cents: int = 5000, today: int = TODAY) -> Ledger:
    """Return the ledger of a client with one paid order on each of these days."""
    return ledger_of(
        (i, entry_of_order(i, today - ago, cents, "paid")) for i, ago in enumerate(days_ago, 1)
    )


def scored(
    client_id: int, orders: Ledger, *, version: int = 1, generation: int = 1, **changes: Any
) -> ClientScored:
    """Return what the scorer says of this ledger on ``TODAY``."""
    found = assess(orders, TODAY, POLICY)
    features, parts = found.features, None
    if features is not None:
        parts = ScoreParts(**parts_on(features, TODAY, POLICY)._asdict())
    values = {
        "client_id": client_id,
        "generation": generation,
        "version": version,
        "merged": [("order/1", version)],
        "policy_version": 1,
        "as_of": AT,
        "day": TODAY,
        "score": found.score,
        "state": found.state,
        "features": None
        if features is None
        else ScoreFeatures(
            frequency=features.frequency,
            value=features.value,
            n=features.n,
            first_day=features.first,
            last_day=features.last,
        ),
        "parts": parts,
        "entry": found.entry,
        "exit": found.exit,
        "crossing_day": found.crossing_day,
        "lapse_day": found.lapse_day,
        "episode_id": None if features is None else episode_id_of(client_id, features.last),
    }
    return ClientScored.model_validate({**values, **changes})


def record(data: ClientScored) -> bytes:
    """Return the bytes of a record."""
    return encode(
        data, id=f"s-{data.client_id}", source="scorer", subject=str(data.client_id), time=AT
    )


def row(data: ClientScored, offset: int) -> FeatureRow:
    """Return what the projector reads from a record at an offset."""
    found = read(str(data.client_id).encode(), record(data), offset)
    assert isinstance(found, FeatureRow)
    return found


def day_after(days: int) -> Any:
    """Return the date some days after ``TODAY``."""
    return date_of(TODAY) + timedelta(days=days)
