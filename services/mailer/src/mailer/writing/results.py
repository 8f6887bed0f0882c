"""What becomes of a claimed episode: each result one transaction, fenced by its token."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from common.logs import Logger
from mailer.database import Connection, Pool, persistently
from mailer.episodes import ledger
from mailer.episodes.deferral import Hindrance
from mailer.episodes.emails import Provenance, blank, finalise, store
from mailer.episodes.ledger import POLICY, Change
from mailer.episodes.policies import Policies
from mailer.episodes.standing import CLIENT_GONE, Days, Profile, Standing, profile_of, standing_of
from mailer.model import calls
from mailer.model.calls import UNUSABLE, Asking
from mailer.model.openrouter import Call
from mailer.words.checks import RULES
from mailer.words.letter import Letter, render
from mailer.words.prompt import PROMPT_VERSION
from mailer.words.told import Draft
from mailer.writing import claims
from mailer.writing.claims import Claim

CHECKED = "the text passed the checks"
KEPT = "the text was final once before: it is kept"
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

    async def claim(self, limit: int, lease_s: float) -> list[Claim]:
        """Claim up to ``limit`` episodes whose time has come, for ``lease_s`` seconds."""
        return await self._persistently(
            lambda: claims.claim(self._pool, limit, lease_s, self._policies, self._days)
        )

    async def look(self, claim: Claim) -> tuple[Profile, int] | None:
        """Look at the client before a call.

        Returns what a prompt may be made of and how many texts were unusable so far, or None when
        no call may be made; then the episode is settled.
        """
        free = await self._persistently(lambda: self._glance(claim))
        return free or await self._persistently(lambda: self._look(claim))

    async def _glance(self, claim: Claim) -> tuple[Profile, int] | None:
        """Look without a lock, which is all that most calls need; None when more is to be done.

        What changes meanwhile changes as well during the call: the result's transaction decides.
        """
        async with self._pool.acquire() as conn:
            row = await claims.still_held(conn, claim)
            if row is None:
                return None
            standing = await standing_of(conn, row, self._policies, self._days)
            if standing.hindrance or standing.cap or standing.was_final:
                return None
            profile = await profile_of(conn, claim.client_id)
            unusable = await calls.unusable_texts(conn, claim.episode_id)
            return None if profile is None else (profile, unusable)

    async def _look(self, claim: Claim) -> tuple[Profile, int] | None:
        async with self._pool.acquire() as conn, conn.transaction():
            standing = await self._standing(conn, claim)
            if isinstance(standing, str):
                return None
            if not standing.was_final:
                profile = await profile_of(conn, claim.client_id)
                unusable = await calls.unusable_texts(conn, claim.episode_id)
                return None if profile is None else (profile, unusable)
        await self._keep(claim)
        return None

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
        """Give a claim back, at no attempt's cost; raises Transient."""
        await self._persistently(lambda: self._release(claim))

    async def _release(self, claim: Claim) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            if await claims.lock_held(conn, claim):
                await calls.lose(conn, [claim.episode_id])
                change = Change("writing", "pending", STOPPING, attempts=-1)
                await ledger.move_one(conn, claim.episode_id, change)

    async def _standing(self, conn: Connection, claim: Claim) -> Standing | str:
        """Return how the client stands, or why the claim's work is over; then it is settled.

        Quiet hours that began since the claim do not matter: a text may be written in them.
        """
        row = await claims.lock_held(conn, claim)
        if row is None:
            return "the claim was lost"
        standing = await standing_of(conn, row, self._policies, self._days)
        if standing.hindrance is not None:
            await self._end(conn, claim, standing.hindrance)
            return "the client changed meanwhile"
        if isinstance(standing.cap, Hindrance):
            await self._end(conn, claim, standing.cap)
            return standing.cap.reason
        if standing.cap is not None:  # the next claim defers it
            change = Change("writing", "pending", standing.cap.reason, attempts=-1)
            await ledger.move_one(conn, claim.episode_id, change)
            return standing.cap.reason
        return standing

    async def _end(self, conn: Connection, claim: Claim, why: Hindrance) -> None:
        change = Change("writing", why.target, why.reason)
        await ledger.move_one(conn, claim.episode_id, change)
        if why.reason == CLIENT_GONE:
            await blank(conn, [claim.episode_id])
        self._log.info(
            "episode settled", episode=claim.episode_id, state=why.target, reason=why.reason
        )

    async def _keep(self, claim: Claim) -> None:
        """Make a text final again that was final before: it is never written twice."""
        async with self._pool.acquire() as conn, conn.transaction():
            await conn.execute("SELECT lock_client($1)", claim.client_id)
            if isinstance(await self._standing(conn, claim), str):
                return
            await ledger.pass_through(
                conn,
                claim.episode_id,
                Change("writing", "draft", KEPT),
                Change("draft", "written", KEPT),
            )
            await finalise(conn, claim.episode_id, self._days.now())
        self._log.info("text kept", episode=claim.episode_id)

    async def _accept(
        self, claim: Claim, call_id: int, call: Call, draft: Draft, prompt_hash: str
    ) -> str:
        async with self._pool.acquire() as conn, conn.transaction():
            # Orders of this client wait from here on; those committed before are seen by the
            # statements that follow, since each takes a new snapshot.
            await conn.execute("SELECT lock_client($1)", claim.client_id)
            standing = await self._standing(conn, claim)
            if isinstance(standing, str):
                outcome = f"{DISCARDED}: {standing}"
            else:
                origin = self._origin(call, draft, prompt_hash)
                await self._store(conn, claim, standing, render(draft), origin)
                outcome = "accepted"
            await calls.finish(conn, call_id, call, outcome)
            return outcome

    def _origin(self, call: Call, draft: Draft, prompt_hash: str) -> Provenance:
        return Provenance(
            draft.facts_used,
            PROMPT_VERSION,
            prompt_hash,
            call.receipt.model or self._asking.model,
            call.receipt.provider or self._asking.provider,
            call.receipt.generation_id or "",
            self._asking.sandbox,
            [rule.name for rule in RULES],
        )

    async def _store(
        self, conn: Connection, claim: Claim, standing: Standing, letter: Letter, origin: Provenance
    ) -> None:
        final = self._days.now() if standing.auto_approve else None
        await store(conn, claim.episode_id, claim.client_id, letter, origin, final_as_of=final)
        checked = Change("writing", "draft", CHECKED)
        if standing.auto_approve:
            reason = f"approved by policy {standing.policy_version}"
            approved = Change("draft", "written", reason, POLICY)
            await ledger.pass_through(conn, claim.episode_id, checked, approved)
        else:
            await ledger.move_one(conn, claim.episode_id, checked)

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
