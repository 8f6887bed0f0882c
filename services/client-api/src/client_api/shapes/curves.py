"""What callers ask for and get back about a client's score over time."""

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from client_api.shapes.answer import Answer
from client_api.shapes.fields import Day
from common.score.model import State

CURVE_DAYS_MAX = 1_100


class CurveQuery(BaseModel):
    """Which days; a year back and 180 days ahead of the served day without."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    begin: Annotated[Day | None, Field(alias="from")] = None
    end: Annotated[Day | None, Field(alias="to")] = None

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.begin is not None and self.end is not None and self.end < self.begin:
            raise ValueError("'to' must not lie before 'from'")
        return self


class CurvePoint(Answer):
    """Score and state as of one day."""

    day: date
    score: float | None
    """Null before the first counted order-day."""
    state: State


class ClientCurve(Answer):
    """A client's score day by day, past and future, recomputed from its orders as they are now.

    As of each day those orders count that counted on it; what lies ahead is what comes if nothing
    happens. ``entry``, ``exit`` and the days are those of ``as_of``.
    """

    client_id: int
    as_of: date
    """The day being served: the points after it lie ahead."""
    policy_version: int
    """The rules in force; a stored score may still name the ones before."""
    entry: float | None
    exit: float | None
    points: list[CurvePoint]
    crossing_day: date | None
    """The first day at risk if nothing happens."""
    lapse_day: date | None
