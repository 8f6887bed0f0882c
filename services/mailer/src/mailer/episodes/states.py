"""The states of an episode, and which may follow which: the whole table, as data."""

from collections.abc import Mapping

from common.episodes import EpisodeState

State = EpisodeState

BEGINNINGS: frozenset[State] = frozenset({"held_out", "held", "pending"})
"""The states in which an episode may begin."""

WITHDRAWABLE: frozenset[State] = frozenset(
    {"held", "pending", "deferred", "writing", "draft", "written"}
)
"""The states that an order, or the client's wish, ends."""

_ENDS: tuple[State, ...] = ("recovered", "suppressed")

TRANSITIONS: Mapping[State, frozenset[State]] = {
    "held_out": frozenset(),
    "held": frozenset({"pending", *_ENDS}),
    "pending": frozenset({"deferred", "writing", *_ENDS}),
    "deferred": frozenset({"pending", *_ENDS}),
    "writing": frozenset({"pending", "draft", "rejected", "failed", *_ENDS}),
    "draft": frozenset({"written", "rejected", *_ENDS}),
    "written": frozenset({"sending", *_ENDS}),
    "sending": frozenset({"sent", "uncertain"}),
    "sent": frozenset(),
    "uncertain": frozenset({"sent", "failed"}),
    "recovered": frozenset({"pending"}),
    "suppressed": frozenset(),
    "rejected": frozenset({"pending"}),
    "failed": frozenset({"pending"}),
}
"""Which states may follow a state. ``recovered`` leads back when the scorer opens the id again and
no order has been counted since; a text that was final once is kept, so none is written twice.
``uncertain`` is resolved by a person: the email went out, or it did not."""


class IllegalTransition(Exception):
    """A change of state that the table does not know: a bug."""


def check(origin: State, target: State) -> None:
    """Raise IllegalTransition when ``target`` may not follow ``origin``."""
    if target not in TRANSITIONS[origin]:
        raise IllegalTransition(f"{origin} -> {target}")
