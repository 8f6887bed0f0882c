"""What a person's decision does to an episode, or why it is refused."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Self

import asyncpg

from mailer.database import Connection
from mailer.episodes import emails, ledger
from mailer.episodes.deferral import Hindrance, Until
from mailer.episodes.ledger import Change
from mailer.episodes.policies import Policies
from mailer.episodes.recording import LONG_AGO
from mailer.episodes.standing import CLIENT_GONE, Days, standing_of
from mailer.episodes.states import WITHDRAWABLE, State
from mailer.people.editing import Refusal, difference, wording_of
from mailer.words.letter import Letter

RELEASED = "released by a person: goes on in its turn"
APPROVED = "approved by a person"

Effect = tuple[str, str | None]
"""What came of a decision, in words, and what an edit changed."""


class Decision(NamedTuple):
    """A person's decision, as its row has it."""

    episode_id: str
    action: str
    actor: str
    draft_hash: str | None
    payload: Any

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        """Read the row of a decision."""
        return cls(
            row["episode_id"],
            row["action"],
            row["actor"],
            row["draft_hash"],
            json.loads(row["payload"]),
        )


class Judgement:
    """Applies decisions to episodes whose client and row the caller has locked."""

    def __init__(self, policies: Policies, days: Days) -> None:
        """Judge by the policy in force, as of ``days``."""
        self._policies = policies
        self._days = days
        self._effects: Mapping[str, Callable[..., Awaitable[Effect]]] = {
            "release": self._release,
            "retry": _retry,
            "approve": self._approve,
            "edit": self._edit,
            "reject": _reject,
            "resolve": _resolve,
            "erase": _erase,
        }

    async def apply(
        self, conn: Connection, row: asyncpg.Record | None, decision: Decision
    ) -> Effect:
        """Apply a decision to the episode with this row; raises Refusal, having changed nothing."""
        if row is None:
            raise Refusal("there is no such episode")
        effect = self._effects.get(decision.action)
        if effect is None:
            raise Refusal(f"nobody knows how to {decision.action}")
        return await effect(conn, row, decision)

    async def _release(self, conn: Connection, row: asyncpg.Record, decision: Decision) -> Effect:
        """Let a held episode take its turn; the release works it off at the policy's rate."""
        held = row["state"] == "held" or row["reason"] == LONG_AGO
        if row["until"] is not None and row["state"] in ("held", "recovered"):
            raise Refusal("the episode was released already and waits for its turn")
        if not held:
            raise Refusal(f"the episode is {row['state']}, and not held")
        if await emails.erased(conn, row["id"]):
            raise Refusal("the episode was erased")
        await ledger.restate(conn, row["id"], RELEASED, decision.actor, self._days.now())
        return RELEASED, None

    async def _approve(self, conn: Connection, row: asyncpg.Record, decision: Decision) -> Effect:
        await _the_draft(conn, row, decision)
        standing = await standing_of(conn, row, self._policies, self._days)
        match standing.hindrance or standing.cap:
            case Hindrance(target, reason):
                await _end(conn, row, Hindrance(target, reason))
                return f"not approved, but {target}: {reason}", None
            case Until(reason, moment):
                raise Refusal(f"{reason}: approve it again after {moment:%Y-%m-%d %H:%M} UTC")
        await emails.finalise(conn, row["id"], self._days.now())
        return await _move(conn, row, decision, "written", APPROVED)

    async def _edit(self, conn: Connection, row: asyncpg.Record, decision: Decision) -> Effect:
        draft = await _the_draft(conn, row, decision)
        standing = await standing_of(conn, row, self._policies, self._days)
        if standing.hindrance is not None:
            await _end(conn, row, standing.hindrance)
            return f"not edited, but {standing.hindrance.target}: {standing.hindrance.reason}", None
        wording = wording_of(decision.payload)
        await emails.replace(conn, row["id"], wording)
        return "the draft's text was replaced", difference(draft, wording)


async def _retry(conn: Connection, row: asyncpg.Record, decision: Decision) -> Effect:
    if row["state"] not in ("failed", "rejected"):
        raise Refusal(f"the episode is {row['state']}, not failed or rejected")
    if await emails.erased(conn, row["id"]):
        raise Refusal("the episode was erased")
    return await _move(conn, row, decision, "pending", "to be tried again by a person")


async def _reject(conn: Connection, row: asyncpg.Record, decision: Decision) -> Effect:
    await _the_draft(conn, row, decision)
    return await _move(conn, row, decision, "rejected", "rejected by a person")


async def _resolve(conn: Connection, row: asyncpg.Record, decision: Decision) -> Effect:
    """A person says whether an email went out of which nobody knew."""
    if row["state"] != "uncertain":
        raise Refusal(f"the episode is {row['state']}, not uncertain")
    match decision.payload:
        case {"sent": True, **more} if not more:
            return await _move(conn, row, decision, "sent", "sent, as a person found out")
        case {"sent": False, **more} if not more:
            return await _move(conn, row, decision, "failed", "not sent, as a person found out")
        case _:
            raise Refusal("to resolve is to say whether the email was sent: true or false")


async def _erase(conn: Connection, row: asyncpg.Record, decision: Decision) -> Effect:
    await emails.blank(conn, [row["id"]])
    if row["state"] in WITHDRAWABLE:
        await _move(conn, row, decision, "suppressed", "erased by a person")
    return "the text was erased", None


async def _the_draft(conn: Connection, row: asyncpg.Record, decision: Decision) -> Letter:
    """Return the draft; a decision about one that is not, or no longer, this one is refused."""
    if row["state"] != "draft":
        raise Refusal(f"the episode is {row['state']}, not a draft")
    found = await emails.text_of(conn, row["id"])
    if found is None or decision.draft_hash != found[1]:
        raise Refusal("the decision names another text than the draft as it is now")
    return found[0]


async def _end(conn: Connection, row: asyncpg.Record, why: Hindrance) -> None:
    await ledger.move_one(conn, row["id"], Change(row["state"], why.target, why.reason))
    if why.reason == CLIENT_GONE:
        await emails.blank(conn, [row["id"]])


async def _move(
    conn: Connection, row: asyncpg.Record, decision: Decision, target: State, reason: str
) -> Effect:
    change = Change(row["state"], target, reason, decision.actor, afresh=target == "pending")
    await ledger.move_one(conn, row["id"], change)
    return reason, None
