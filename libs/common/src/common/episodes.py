"""The states that an episode can be in: the mailer moves it between them, client-api shows them."""

from typing import Literal

EpisodeState = Literal[
    "held_out",
    "held",
    "pending",
    "deferred",
    "writing",
    "draft",
    "written",
    "sending",
    "sent",
    "uncertain",
    "recovered",
    "suppressed",
    "rejected",
    "failed",
]
