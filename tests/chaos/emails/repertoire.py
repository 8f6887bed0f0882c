"""What may happen in a schedule, and how often each thing does: data alone."""

from typing import Any, NamedTuple

FATES = {"plain": 6, "mute": 1, "held": 2, "trouble": 2, "quiet": 1}
"""How often each fate comes among the others, relative to each other. What each one means for the
episode is said in ``rulebook``."""
ACTS = {None: 2, "order": 3, "withdraw": 2, "unsubscribe": 1, "suppress": 1, "erase": 2}


class Cost(NamedTuple):
    """How often a harm comes, relative to the others, and what it costs of a schedule's time."""

    weight: int
    seconds: float
    """Until the part is ready again, about: a mailer waits until its dead self is out of the group,
    and those on the JVM take long to start."""


HARMS = {
    "mailer-kill": Cost(8, 9),
    "mailer-freeze": Cost(5, 5),
    "mailer-both": Cost(3, 10),
    "mailer-restart": Cost(3, 3),
    "scorer-kill": Cost(3, 5),
    "scorer-freeze": Cost(1, 3),
    "relay-kill": Cost(3, 3),
    "relay-freeze": Cost(1, 3),
    "projector-kill": Cost(1, 3),
    "client-api-kill": Cost(2, 3),
    "sandbox-kill": Cost(3, 2),
    "kafka-kill": Cost(2, 12),
    "kafka-freeze": Cost(1, 3),
    "postgres-kill": Cost(3, 8),
    "postgres-restart": Cost(2, 8),
    "connect-kill": Cost(1, 12),
}
SINK_HARMS = {"sink-kill": Cost(4, 2), "sink-freeze": Cost(4, 5)}
HARMS_MAX = 3
BUDGET_S = 13.0
"""Leaves time to recover: on a machine that does nothing else, a schedule takes 20 s at most."""

TROUBLES: tuple[dict[str, Any], ...] = (
    {"kind": "refusal"},
    {"kind": "content_filter"},
    {"kind": "length"},
    {"kind": "not_json"},
    {"kind": "obey"},
    {"kind": "wrong_model"},
    {"kind": "wrong_provider"},
    {"kind": "status", "status": 400},
    {"kind": "status", "status": 403, "metadata": {"reasons": ["violence"]}},
)
"""What the model makes of one client's prompt, each time: no usable text comes of it."""
PASSING: tuple[dict[str, Any], ...] = (
    {"kind": "none", "delay_ms": 1_500, "times": 4},
    {"kind": "status", "status": 429, "retry_after": 1, "times": 3},
    {"kind": "status", "status": 429, "times": 3},
    {"kind": "status", "status": 502, "times": 3},
    {"kind": "status", "status": 503, "times": 3},
    {"kind": "html", "status": 524, "times": 2},
    {"kind": "error_top", "status": 502, "times": 2},
    {"kind": "error_choice", "status": 503, "times": 2},
    {"kind": "disconnect", "times": 3},
    {"kind": "trickle", "times": 2},
    {"kind": "status", "status": 401, "times": 2},
    {"kind": "status", "status": 402, "times": 2},
    {"kind": "not_json", "times": 1},
    {"kind": "extra_key", "times": 1},
    {"kind": "obey", "times": 1},
    {"kind": "empty", "times": 1},
)
"""Trouble that is over before any episode has used up its attempts, or its second text."""
