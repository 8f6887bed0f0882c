"""The shop's rules as a row of ``policies``: those of the score, and those of its emails.

Only the score's rules travel to the scorer; whoever writes emails reads the row.
"""

from datetime import time
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from common.score.policy import Days, Policy

ClockTime = Annotated[
    time,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$",
            "examples": ["21:00:00"],
        }
    ),
]
"""A time of any day; JSON Schema's own format ``time`` asks for an offset."""


class QuietHours(BaseModel):
    """Hours of the client's own day in which nobody is written to; they may span midnight."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    begin: ClockTime = time(21)
    end: ClockTime = time(8)

    @model_validator(mode="after")
    def _are_hours_of_a_day(self) -> Self:
        if self.begin.tzinfo or self.end.tzinfo:
            raise ValueError("the hours are the client's own: they bear no time zone")
        if self.begin == self.end:
            raise ValueError("begin and end must differ; leave quiet_hours out for none")
        return self


class EmailRules(BaseModel):
    """When emails may be written and sent, and how their effect is measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cap_days: Annotated[int, Field(ge=0, le=365)] = 30
    """No second email to a client within so many days of the last one; 0 for no cap."""
    quiet_hours: QuietHours | None = None
    release_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 60
    """How many held-back episodes go on within one minute of wall time, at most."""
    effect_days: Days = 30
    """An order within so many days of an episode's opening counts as its outcome."""


class ShopPolicy(Policy):
    """One version of the shop's rules, as its row holds it."""

    emails: EmailRules = EmailRules()

    @property
    def scoring(self) -> Policy:
        """The part of which the score is a function: what the scorer is told."""
        return Policy.model_validate(self.model_dump(exclude={"emails"}))
