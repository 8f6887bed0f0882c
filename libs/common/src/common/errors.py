"""The errors, named by what a loop must do about them. Anything else is a bug: crash."""

from typing import Literal

Reason = Literal[
    "empty",
    "inconsistent",
    "invalid",
    "invalid_policy",
    "key_changed",
    "no_client",
    "not_an_event",
    "not_finite",
    "not_json",
    "out_of_range",
    "policy_deleted",
    "unavailable_value",
    "unexpected",
    "unexpected_type",
    "unknown_op",
    "unknown_policy",
    "unknown_shape",
    "unknown_topic",
    "unknown_type",
    "unstorable",
    "wrong_key",
    "wrong_partition",
]
"""Why a record is parked: a label of metrics, so there are no others."""


class PoisonMessage(Exception):
    """This record can never be used: park it with its reason and go on."""

    def __init__(self, reason: Reason, detail: str) -> None:
        """``detail`` is for people, never personal."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Transient(Exception):
    """This will probably pass: retry, a bounded number of times, with backoff and jitter."""


class Misconfigured(Exception):
    """The service cannot work as it is set up: say so in one line and exit."""


class Unreachable(Misconfigured):
    """Nobody answers where the service is told to ask: that is wrong, or not there yet."""
