"""The parameter file: what a fit found, from which data, and how good it is."""

from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from common.errors import Misconfigured
from common.score.policy import Policy, Weights


class Part(BaseModel):
    """The base of all parts: frozen and closed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FittedPolicy(Part):
    """The fields of a policy that a fit decides; the rest is the shop's own choice."""

    weights: Weights
    gap_prior_days: float
    half_life_days: float
    horizon_days: int
    rho: float
    theta: float


class Window(Part):
    """The clients and days that the weights come from; dates are days in the shop's zone."""

    features_on: str
    labels_until: str
    n: int
    ordered: float
    """Share of the clients that ordered within the horizon."""


class Quality(Part):
    """How good the score is; ``auc`` is for "does not order"."""

    basis: Literal["out_of_time", "in_sample"]
    """Weights of one horizon earlier judged on the window, or, where the history is too short for
    that, the weights on the window that they come from."""
    n: int
    auc: float | None
    auc_repeat: float | None
    ece: float
    brier: float
    recency_auc: float | None
    recency_ece: float


class HeldOut(Part):
    """What the clients say to whom no email is written."""

    clients_in_window: int
    fitted_on: bool
    why_not: str | None
    calibration_error: float | None
    """The file's weights on them; None below 100 clients."""
    predicted: float | None
    ordered: float | None


class Parameters(Part):
    """One fit. Files of this schema version hold exactly these fields."""

    schema_version: Literal[1] = 1
    fitted_at: datetime
    source: str
    as_of: str
    time_zone: str
    policy: FittedPolicy
    window: Window
    quality: Quality
    held_out: HeldOut | None = None

    def to_policy(self, base: Policy) -> Policy:
        """Return ``base`` with the fitted fields in place of its own; raises ValidationError."""
        return Policy.model_validate({**base.model_dump(), **self.policy.model_dump()})

    def save(self, target: Path) -> None:
        """Replace the file at once, so that no reader sees half of it; raises Misconfigured."""
        draft = target.with_name(target.name + ".new")
        try:
            draft.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
            draft.replace(target)
        except OSError as error:
            raise Misconfigured(f"{target} cannot be written: {error.strerror}") from None

    @classmethod
    def read(cls, source: Path) -> Self:
        """Read a file; raises Misconfigured with one line."""
        try:
            return cls.model_validate_json(source.read_bytes())
        except OSError as error:
            raise Misconfigured(f"{source} cannot be read: {error.strerror}") from None
        except ValidationError as error:
            where = "; ".join(".".join(map(str, e["loc"])) or "file" for e in error.errors())
            raise Misconfigured(f"{source} is no parameter file: look at {where}") from None
