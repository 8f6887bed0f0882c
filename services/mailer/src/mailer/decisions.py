"""People's decisions: applied once each, or refused with a reason that everybody can see."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import asyncpg
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from common.health import Heartbeat
from common.logs import Logger
from mailer import emails, ledger, policies
from mailer.checks import BODY_CHARS, SUBJECT_CHARS
from mailer.database import TRANSIENT, Connection, Pool, persistently
from mailer.ledger import Change
from mailer.letter import Letter
from mailer.standing import Days, standing_of
from mailer.states import WITHDRAWABLE, State
from mailer.wording import is_hidden

CHANNEL = "decisions"
POLL_S = 5.0
"""How soon a decision is found whose announcement was lost."""
BATCH = 100
LISTEN_RETRY_S = 1.0


class Refusal(Exception):
    """The decision does not fit the episode as it is; the reason is for the person."""


class Edit(BaseModel):
    """A person's wording of a draft."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    subject: str
    body: str


class Decisions:
    """Applies decisions in the order in which they were made."""

    def __init__(
        self, pool: Pool, days: Days, on_pending: Callable[[], None], beat: Heartbeat, log: Logger
    ) -> None:
        """Call ``on_pending`` whenever a decision may have made work."""
        self._pool = pool
        self._days = days
        self._on_pending = on_pending
        self._beat = beat
        self._log = log
        self._announced = asyncio.Event()

    async def run(self, url: SecretStr, stopping: asyncio.Event) -> None:
        """Apply what is there, then what is announced, until told to stop."""
        listening = asyncio.create_task(self._listen(url))
        try:
            while not stopping.is_set():
                self._beat.beat()
                self._announced.clear()
                while await persistently(self._apply_some, self._retrying) == BATCH:
                    self._beat.beat()
                waits = {
                    asyncio.create_task(self._announced.wait()),
                    asyncio.create_task(stopping.wait()),
                }
                done, late = await asyncio.wait(
                    {listening, *waits}, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED
                )
                for task in late & waits:
                    task.cancel()
                if listening in done:
                    listening.result()
        finally:
            listening.cancel()

    async def _listen(self, url: SecretStr) -> None:
        """Hold a connection that hears announcements; make a new one whenever it is lost."""
        while True:
            lost = asyncio.Event()
            try:
                conn = await asyncpg.connect(url.get_secret_value(), timeout=10)
                try:
                    conn.add_termination_listener(lambda _conn, lost=lost: lost.set())
                    await conn.add_listener(CHANNEL, self._heard)
                    self._announced.set()  # something may have been announced before
                    await lost.wait()
                finally:
                    await conn.close(timeout=2)
            except TRANSIENT as error:
                self._retrying(error)
            await asyncio.sleep(LISTEN_RETRY_S)

    def _heard(self, *_announcement: Any) -> None:
        self._announced.set()

    def _retrying(self, error: Exception) -> None:
        self._log.warning("postgres is away", error=type(error).__name__)

    async def _apply_some(self) -> int:
        decisions = await self._pool.fetch(
            "SELECT d.* FROM decisions d"
            " WHERE NOT EXISTS (SELECT FROM decision_outcomes o WHERE o.decision_id = d.id)"
            " ORDER BY d.id LIMIT $1",
            BATCH,
        )
        for decision in decisions:
            await self._apply(decision)
        if decisions:
            self._on_pending()
        return len(decisions)

    async def _apply(self, decision: asyncpg.Record) -> None:
        """Apply one decision and note its outcome in one transaction."""
        async with self._pool.acquire() as conn, conn.transaction():
            # The client first, as everywhere; its orders wait while a text is approved.
            client_id = await conn.fetchval(
                "SELECT client_id FROM episodes WHERE id = $1", decision["episode_id"]
            )
            if client_id is not None and decision["action"] == "approve":
                await conn.execute("SELECT lock_client($1)", client_id)
            row = await ledger.lock(conn, decision["episode_id"])
            if await conn.fetchval(
                "SELECT EXISTS (SELECT FROM decision_outcomes WHERE decision_id = $1)",
                decision["id"],
            ):
                return  # another mailer was faster
            try:
                outcome, reason = "applied", await self._effect(conn, row, decision)
            except Refusal as refusal:
                outcome, reason = "refused", str(refusal)
            await conn.execute(
                "INSERT INTO decision_outcomes (decision_id, outcome, reason) VALUES ($1, $2, $3)"
                " ON CONFLICT (decision_id) DO NOTHING",
                decision["id"],
                outcome,
                reason,
            )
        self._log.info(
            "decision", decision=decision["id"], action=decision["action"], outcome=outcome
        )

    async def _effect(
        self, conn: Connection, row: asyncpg.Record | None, decision: asyncpg.Record
    ) -> str:
        if row is None:
            raise Refusal("there is no such episode")
        match decision["action"]:
            case "release":
                return await _requeue(conn, row, decision, frozenset({"held"}))
            case "retry":
                return await _requeue(conn, row, decision, frozenset({"failed", "rejected"}))
            case "approve":
                return await self._approve(conn, row, decision)
            case "edit":
                return await _edit(conn, row, decision)
            case "reject":
                await _the_draft(conn, row, decision)
                return await _move(conn, row, decision, "rejected", "rejected by a person")
            case "erase":
                return await _erase(conn, row, decision)
            case unknown:
                raise Refusal(f"nobody knows how to {unknown}")

    async def _approve(
        self, conn: Connection, row: asyncpg.Record, decision: asyncpg.Record
    ) -> str:
        await _the_draft(conn, row, decision)
        _, policy = await policies.current(conn)
        standing = await standing_of(
            conn, row["client_id"], row["last_order_day"], self._days, policy.ahead_days
        )
        if standing.hindrance is not None:
            target, reason = standing.hindrance
            await ledger.move_one(conn, row["id"], Change("draft", target, reason))
            return f"not approved, but {target}: {reason}"
        return await _move(conn, row, decision, "written", "approved by a person")


async def _requeue(
    conn: Connection, row: asyncpg.Record, decision: asyncpg.Record, origins: frozenset[str]
) -> str:
    if row["state"] not in origins:
        raise Refusal(f"the episode is {row['state']}, not {' or '.join(sorted(origins))}")
    word = "released" if decision["action"] == "release" else "to be tried again"
    return await _move(conn, row, decision, "pending", f"{word} by a person")


async def _move(
    conn: Connection,
    row: asyncpg.Record,
    decision: asyncpg.Record,
    target: State,
    reason: str,
) -> str:
    change = Change(row["state"], target, reason, decision["actor"], afresh=target == "pending")
    await ledger.move_one(conn, row["id"], change)
    return reason


async def _the_draft(conn: Connection, row: asyncpg.Record, decision: asyncpg.Record) -> None:
    """Refuse a decision about a draft that is not, or no longer, the one it names."""
    if row["state"] != "draft":
        raise Refusal(f"the episode is {row['state']}, not a draft")
    if decision["draft_hash"] != await emails.draft_hash_of(conn, row["id"]):
        raise Refusal("the decision names another text than the draft as it is now")


async def _edit(conn: Connection, row: asyncpg.Record, decision: asyncpg.Record) -> str:
    await _the_draft(conn, row, decision)
    try:
        edit = Edit.model_validate(json.loads(decision["payload"]))
    except ValidationError:
        raise Refusal("an edit needs a subject and a body, and nothing else") from None
    subject, body = edit.subject.strip(), edit.body.strip()
    fits = (
        SUBJECT_CHARS[0] <= len(subject) <= SUBJECT_CHARS[1]
        and BODY_CHARS[0] <= len(body) <= BODY_CHARS[1] * 2
        and "\n" not in subject
        and not any(is_hidden(char) for char in subject + body)
    )
    if not fits:
        raise Refusal("the text is too short, too long, or holds invisible characters")
    await emails.replace(conn, row["id"], Letter(subject, body))
    return "the draft's text was replaced"


async def _erase(conn: Connection, row: asyncpg.Record, decision: asyncpg.Record) -> str:
    await emails.blank(conn, [row["id"]])
    if row["state"] in WITHDRAWABLE:
        await _move(conn, row, decision, "suppressed", "erased by a person")
    return "the text was erased"
