"""A policy tried out while somebody moves its sliders: what callers send and get back."""

from datetime import date

from client_api.shapes.answer import Answer
from client_api.shapes.fields import Cost, PartOfPolicy
from client_api.shapes.money import Money
from client_api.shapes.requests import Body
from common.score.model import State


class PreviewIn(Body):
    """Which policy to try."""

    policy: PartOfPolicy
    """A policy, or the part of one that differs from the one in force."""
    cost_per_email: Cost | None = None
    """In the shop's currency; no cost is assumed without."""


class Side(Answer):
    """How the shop stands under one policy."""

    by_state: dict[State, int]
    at_risk: int
    expected_precision: float | None
    """Mean chance that a client at risk does not order within the horizon; null without any."""
    emails_per_day: float
    """Expected over the next 30 days: clients whose crossing day comes, times the chance that they
    stay silent until then, less the holdout."""
    cost_per_day: Money | None
    """Null unless a cost per email was given."""


class PolicyPreview(Answer):
    """What another policy would change at once, from the stored features; it changes nothing.

    A run of `/api/what-ifs` says it exactly, from the whole history, with a back-test.
    """

    as_of: date
    clients: int
    """Clients with a score."""
    seen: int
    """Of these, how many were looked at."""
    sampled: bool
    """Whether the figures are scaled up from those seen; otherwise they are exact."""
    present: Side
    candidate: Side
    entering: int
    """Clients at risk under the candidate, and not under the present policy."""
    leaving: int
    staying: int
    """Clients at risk under both."""
    held_for_a_person: int
    """Of those entering, who crossed longer ago than ``hold_after_days``."""
    emails_at_once: float
    """Expected of those entering, less those held and the holdout."""
    cost_at_once: Money | None
