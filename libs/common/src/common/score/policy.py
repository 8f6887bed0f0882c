"""The policy: every number that the score, the risk rule and the emails depend on, as one value."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Weight = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Days = Annotated[int, Field(ge=1, le=3650)]


class Weights(BaseModel):
    """The fitted weights of the score; all but the intercept are non-negative by construction."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    intercept: Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)] = -2.589
    frequency: Weight = 1.59
    value: Weight = 0.194
    recency: Weight = 0.527


class Policy(BaseModel):
    """One version of the shop's rules. It travels as data: in Postgres, in Kafka, in each score.

    Days are whole days in the shop's time zone; ``rho``, ``theta`` and ``exit_factor`` are ratios.
    The defaults are the parameters of the reference figures, in force until a fit replaces them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Annotated[int, Field(ge=1)] = 1
    weights: Weights = Weights()
    gap_prior_days: Annotated[float, Field(ge=0.01, le=1e5, allow_inf_nan=False)] = 45.0
    half_life_days: Annotated[float, Field(ge=0.01, le=1e5, allow_inf_nan=False)] = 180.0
    horizon_days: Days = 90
    rho: Annotated[float, Field(gt=0, lt=1)] = 0.7
    theta: Annotated[float, Field(gt=0, lt=1)] = 0.5
    exit_factor: Annotated[float, Field(gt=1, le=2)] = 1.1
    silence_max_days: Days = 150
    lapse_days: Days = 180
    ahead_days: Annotated[int, Field(ge=0, le=30)] = 1
    hold_after_days: Annotated[float, Field(ge=0, le=365)] = 3.0
    holdout_percent: Annotated[float, Field(ge=0, le=50)] = 10.0
    auto_approve: bool = True

    @model_validator(mode="after")
    def _silence_comes_before_lapse(self) -> Self:
        if self.silence_max_days >= self.lapse_days:
            raise ValueError(
                "silence_max_days must be below lapse_days, or clients lapse without an episode"
            )
        return self
