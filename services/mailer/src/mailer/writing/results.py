"""What becomes of a claimed episode: each result one transaction, fenced by its token."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from common.logs import Logger
from mailer.database import Connection, Pool, persistently, saying_away
from mailer.episodes import ledger
from mailer.episodes.emails import finalise
from mailer.episodes.ledger import Change
from mailer.episodes.policies import Policies
from mailer.episodes.standing import Days, Profile, Standing, profiles_of, standings_of
from mailer.metrics import Metrics
from mailer.model import calls
from mailer.model.calls import UNUSABLE, Asking, Ended
from mailer.model.openrouter import Call
from mailer.together import Together
from mailer.words.told import Draft
from mailer.writing import claims
from mailer.writing.acceptance import Acceptance, Written
from mailer.writing.claims import Claim
from mailer.writing.recheck import recheck

KEPT = "the text was final once before: it is kept"
LOOK_TOGETHER_S = 0.005
"""Claims are made together, so their looks come together."""
ACCEPT_TOGETHER_S = 0.05
"""A text took a second or more: it may wait so long for others."""
TOGETHER = 50

Seen = tuple[Profile, int]
"""What a prompt may be made of, and how many texts were unusable so far."""
T = TypeVar("T")


class Results:
    """Writes results to the ledger; a worker that lost its claim changes nothing but the log."""

    def __init__(
        self,
        pool: Pool,
        known: Policies,
        days: Days,
        asking: Asking,
        *,
        metrics: Metrics,
        log: Logger,
    ) -> None:
        """Name the model as in ``asking``; count orders as of ``days``."""
        self._pool = pool
        self._policies = known
        self._days = days
        self._metrics = metrics
        self._log = log
        self._retrying = saying_away(log)
        self._acceptance = Acceptance(pool, known, days, asking, log)
        self._glances = Together(
            self._glance, name="look at episodes", wait_s=LOOK_TOGETHER_S, most=TOGETHER
        )
        self._acceptances = Together(
            self._accept, name="accept texts", wait_s=ACCEPT_TOGETHER_S, most=TOGETHER
        )

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
        return await self._glances.do(claim) or await self._persistently(lambda: self._look(claim))

    async def _glance(self, held: Sequence[Claim]) -> list[Seen | None]:
        return await self._persistently(lambda: self._glance_at(held))

    async def _glance_at(self, held: Sequence[Claim]) -> list[Seen | None]:
        """Look without a lock, which is all that most calls need; None where more is to be done.

        What changes meanwhile changes as well during the call: the result's transaction decides.
        """
        async with self._pool.acquire() as conn:
            rows = await claims.still_held(conn, held)
            if not rows:
                return [None] * len(held)
            found = await standings_of(conn, list(rows.values()), self._policies, self._days)
            free = [c for c in rows if _is_free(found[c.episode_id])]
            seen = await self._seen(conn, free)
        return [seen.get(claim) for claim in held]

    async def _seen(self, conn: Connection, free: Sequence[Claim]) -> dict[Claim, Seen]:
        if not free:
            return {}
        profiles = await profiles_of(conn, [claim.client_id for claim in free])
        texts = await calls.unusable_texts(conn, [claim.episode_id for claim in free])
        return {
            claim: (profiles[claim.client_id], texts.get(claim.episode_id, 0))
            for claim in free
            if claim.client_id in profiles
        }

    async def _look(self, claim: Claim) -> Seen | None:
        async with self._pool.acquire() as conn, conn.transaction():
            standing = await self._standing(conn, claim)
            if isinstance(standing, str):
                return None
            if not standing.was_final:
                return (await self._seen(conn, [claim])).get(claim)
        await self._keep(claim)
        return None

    async def note_unusable(self, call_id: int, call: Call, problems: tuple[str, ...]) -> None:
        """Record a call whose text cannot be used, and will be written anew."""
        await self._persistently(lambda: self._note(call_id, call, unusable(problems)))
        self._metrics.unusable(problems)

    async def accept(
        self, claim: Claim, call_id: int, call: Call, draft: Draft, prompt_hash: str
    ) -> None:
        """Store a checked text, unless anything changed while it was written."""
        text = Written(claim, call_id, call, draft, prompt_hash)
        outcome = await self._acceptances.do(text)
        self._metrics.texts.labels(outcome.partition(":")[0]).inc()
        self._log.info("text settled", episode=claim.episode_id, outcome=outcome)

    async def _accept(self, texts: Sequence[Written]) -> list[str]:
        return await self._persistently(lambda: self._acceptance.accept(texts))

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
            if await claims.lock_held(conn, [claim]):
                await calls.lose(conn, [claim.episode_id])
                change = Change("writing", "pending", claims.STOPPING, attempts=-1)
                await ledger.move_one(conn, claim.episode_id, change)

    async def _standing(self, conn: Connection, claim: Claim) -> Standing | str:
        return (await recheck(conn, [claim], self._policies, self._days, self._log))[claim]

    async def _keep(self, claim: Claim) -> None:
        """Make a text final again that was final before: it is never written twice."""
        async with self._pool.acquire() as conn, conn.transaction():
            await conn.execute("SELECT lock_client($1)", claim.client_id)
            if isinstance(await self._standing(conn, claim), str):
                return
            await ledger.pass_through(
                conn,
                [claim.episode_id],
                Change("writing", "draft", KEPT),
                Change("draft", "written", KEPT),
            )
            await finalise(conn, claim.episode_id, self._days.now())
        self._log.info("text kept", episode=claim.episode_id)

    async def _settle(
        self, claim: Claim, change: Change, made: tuple[int, Call, str] | None
    ) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            if await claims.lock_held(conn, [claim]):
                await ledger.move_one(conn, claim.episode_id, change)
            if made is not None:
                await calls.finish(conn, [Ended(*made)])

    async def _note(self, call_id: int, call: Call, outcome: str) -> None:
        async with self._pool.acquire() as conn:
            await calls.finish(conn, [Ended(call_id, call, outcome)])

    async def _persistently(self, work: Callable[[], Awaitable[T]]) -> T:
        return await persistently(work, self._retrying)


def _is_free(standing: Standing) -> bool:
    return not (standing.hindrance or standing.cap or standing.was_final)


def unusable(problems: tuple[str, ...]) -> str:
    """Return the outcome of a call whose text broke these rules."""
    return f"{UNUSABLE}: {', '.join(problems)}"
