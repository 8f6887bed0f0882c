"""What becomes of a claimed episode: each result one transaction, fenced by its token."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from common.logs import Logger
from mailer import calls, claims, ledger, policies
from mailer.calls import UNUSABLE, Asking
from mailer.checks import Draft
from mailer.claims import Claim
from mailer.database import Connection, Pool, persistently
from mailer.emails import Provenance, blank, store
from mailer.ledger import POLICY, Change
from mailer.letter import render
from mailer.openrouter import Call
from mailer.policies import Policies
from mailer.prompt import PROMPT_VERSION
from mailer.standing import CLIENT_GONE, Days, Profile, profile_of, standing_of

CHECKED = "the text passed the checks"
STOPPING = "released: the mailer stops"
DISCARDED = "discarded"

T = TypeVar("T")


class Results:
    """Writes results to the ledger; a worker that lost its claim changes nothing but the log."""

    def __init__(
        self, pool: Pool, known: Policies, days: Days, asking: Asking, log: Logger
    ) -> None:
        """Name the model as in ``asking``; count orders as of ``days``."""
        self._pool = pool
        self._policies = known
        self._days = days
        self._asking = asking
        self._log = log

    async def look(self, claim: Claim) -> tuple[Profile, int] | None:
        """Look at the client before a call.

        Returns what a prompt may be made of and how many texts were unusable so far, or None when
        no call may be made; then the episode is settled.
        """
        return await self._persistently(lambda: self._look(claim))

    async def _look(self, claim: Claim) -> tuple[Profile, int] | None:
        async with self._pool.acquire() as conn, conn.transaction():
            if not await claims.lock_held(conn, claim) or await self._hindered(conn, claim):
                return None
            profile = await profile_of(conn, claim.client_id)
            unusable = await calls.unusable_texts(conn, claim.episode_id)
            return None if profile is None else (profile, unusable)

    async def begin_call(self, claim: Claim) -> int:
        """Note that a call begins; return its number."""
        return await self._persistently(
            lambda: calls.begin(self._pool, claim.episode_id, claim.attempt, self._asking)
        )

    async def note_unusable(self, call_id: int, call: Call, problems: tuple[str, ...]) -> None:
        """Record a call whose text cannot be used, and will be written anew."""
        await self._persistently(lambda: self._note(call_id, call, unusable(problems)))

    async def accept(
        self, claim: Claim, call_id: int, call: Call, draft: Draft, prompt_hash: str
    ) -> None:
        """Store a checked text, unless anything changed while it was written."""
        outcome = await self._persistently(
            lambda: self._accept(claim, call_id, call, draft, prompt_hash)
        )
        self._log.info("text settled", episode=claim.episode_id, outcome=outcome)

    async def settle(
        self, claim: Claim, change: Change, made: tuple[int, Call, str] | None = None
    ) -> None:
        """Change the episode; ``made`` is the call that led to it: number, call and outcome."""
        await self._persistently(lambda: self._settle(claim, change, made))
        if change.target != "pending":
            self._log.error(
                "no email", episode=claim.episode_id, state=change.target, reason=change.reason
            )

    async def release(self, claim: Claim) -> None:
        """Give a claim back, at no attempt's cost."""
        async with self._pool.acquire() as conn, conn.transaction():
            if await claims.lock_held(conn, claim):
                await calls.lose(conn, [claim.episode_id])
                change = Change("writing", "pending", STOPPING, attempts=-1)
                await ledger.move_one(conn, claim.episode_id, change)

    async def _hindered(self, conn: Connection, claim: Claim) -> bool:
        """Settle an episode whose client may not be written to; whether that was so."""
        policy = await self._policies.version(conn, claim.policy_version)
        standing = await standing_of(
            conn, claim.client_id, claim.last_order_day, self._days, policy.ahead_days
        )
        if standing.hindrance is None:
            return False
        target, reason = standing.hindrance
        await ledger.move_one(conn, claim.episode_id, Change("writing", target, reason))
        if reason == CLIENT_GONE:
            await blank(conn, [claim.episode_id])
        self._log.info("episode settled", episode=claim.episode_id, state=target, reason=reason)
        return True

    async def _accept(
        self, claim: Claim, call_id: int, call: Call, draft: Draft, prompt_hash: str
    ) -> str:
        async with self._pool.acquire() as conn, conn.transaction():
            # Orders of this client wait from here on; those committed before are seen by the
            # statements that follow, since each takes a new snapshot.
            await conn.execute("SELECT lock_client($1)", claim.client_id)
            if not await claims.lock_held(conn, claim):
                outcome = f"{DISCARDED}: the claim was lost"
            elif await self._hindered(conn, claim):
                outcome = f"{DISCARDED}: the client changed meanwhile"
            else:
                await self._store(conn, claim, call, draft, prompt_hash)
                outcome = "accepted"
            await calls.finish(conn, call_id, call, outcome)
            return outcome

    async def _store(
        self, conn: Connection, claim: Claim, call: Call, draft: Draft, prompt_hash: str
    ) -> None:
        origin = Provenance(
            draft.facts_used,
            PROMPT_VERSION,
            prompt_hash,
            call.receipt.model or self._asking.model,
            call.receipt.provider or self._asking.provider,
            call.receipt.generation_id or "",
            self._asking.sandbox,
        )
        await store(conn, claim.episode_id, claim.client_id, render(draft), origin)
        await ledger.move_one(conn, claim.episode_id, Change("writing", "draft", CHECKED))
        version, policy = await policies.current(conn)
        if policy.auto_approve:
            change = Change("draft", "written", f"approved by policy {version}", POLICY)
            await ledger.move_one(conn, claim.episode_id, change)

    async def _settle(
        self, claim: Claim, change: Change, made: tuple[int, Call, str] | None
    ) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            if await claims.lock_held(conn, claim):
                await ledger.move_one(conn, claim.episode_id, change)
            if made is not None:
                await calls.finish(conn, *made)

    async def _note(self, call_id: int, call: Call, outcome: str) -> None:
        async with self._pool.acquire() as conn:
            await calls.finish(conn, call_id, call, outcome)

    async def _persistently(self, work: Callable[[], Awaitable[T]]) -> T:
        return await persistently(work, self._retrying)

    def _retrying(self, error: Exception) -> None:
        self._log.warning("postgres is away", error=type(error).__name__)


def unusable(problems: tuple[str, ...]) -> str:
    """Return the outcome of a call whose text broke these rules."""
    return f"{UNUSABLE}: {', '.join(problems)}"
