"""A client's score with why, recomputed from the stored features for the day being served."""

from typing import Any

from client_api.problems import NotFound
from client_api.shapes.money import exactly
from client_api.shapes.responses import (
    ClientScore,
    ExplanationOfScore,
    FeaturesOfScore,
    LiftOfScore,
    PartsOfScore,
)
from client_api.store.jsonb import loaded
from client_api.store.reads import Reads, Row
from common.clock import date_of, number_of
from common.policy import ShopPolicy
from common.score.explain import Lift, explain
from common.score.model import EXPONENT_MAX, Features, state_on
from common.score.policy import Policy

READ = """
    SELECT v.as_of, f.*, p.document
    FROM clients c
    LEFT JOIN score_features f ON f.client_id = c.id
    LEFT JOIN score_serving v ON true
    LEFT JOIN policies p ON p.id = f.policy_version
    WHERE c.id = $1
"""


async def read(reads: Reads, client_id: int, currency: str) -> ClientScore:
    """Return the score of the served day; raises NotFound without client or score."""
    rows = await reads.rows(READ, [client_id])
    if not rows:
        raise NotFound(f"there is no client {client_id}")
    row = rows[0]
    if row["client_id"] is None or row["as_of"] is None:
        raise NotFound(f"client {client_id} is not scored yet")
    return assemble(row, currency)


def assemble(row: Row | dict[str, Any], currency: str) -> ClientScore:
    """Build the answer from a row of features, with its policy, for the row's ``as_of``."""
    policy = ShopPolicy.model_validate(loaded(row["document"]))
    features = _features_of(row)
    day = number_of(row["as_of"])
    crossing = None if row["crossing_day"] is None else number_of(row["crossing_day"])
    why = None if features is None else explain(features, day, policy)
    return ClientScore(
        client_id=row["client_id"],
        as_of=row["as_of"],
        score=None if why is None else why.score,
        state=state_on(features, crossing, day, policy),
        version=row["merged_version"],
        merged=loaded(row["merged"]),
        policy_version=row["policy_version"],
        entry=row["entry"],
        exit=row["exit"],
        crossing_day=row["crossing_day"],
        lapse_day=row["lapse_day"],
        episode_id=row["episode_id"],
        features=None if features is None else _as_of(features, day, policy, row, currency),
        explanation=None
        if why is None
        else ExplanationOfScore(
            parts=PartsOfScore(**why.parts._asdict()),
            total=why.parts.total,
            score_after_order=why.score_after_order,
            lift=None if why.lift is None else _lift(why.lift),
        ),
    )


def _lift(lift: Lift) -> LiftOfScore:
    return LiftOfScore(
        score_before=lift.score_before,
        score_after=lift.score_after,
        score_after_least=lift.score_after_least,
        safe_until=date_of(lift.safe_until_day),
    )


def _features_of(row: Row | dict[str, Any]) -> Features | None:
    if row["order_days"] == 0:
        return None
    return Features(
        row["frequency"],
        row["value"],
        row["order_days"],
        number_of(row["first_day"]),
        number_of(row["last_day"]),
    )


def _as_of(
    features: Features, day: int, policy: Policy, row: Row | dict[str, Any], currency: str
) -> FeaturesOfScore:
    silence = max(0, day - features.last)
    decay = 2.0 ** -min(silence / policy.half_life_days, EXPONENT_MAX)
    return FeaturesOfScore(
        order_days=features.n,
        spend_decayed=exactly(features.value * decay, currency),
        frequency=features.frequency * decay,
        first_day=row["first_day"],
        last_day=row["last_day"],
        usual_gap_days=(policy.gap_prior_days + features.last - features.first) / features.n,
    )
