"""What becomes of a text on its way: each step one transaction, fenced by the parcel's token."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import asyncpg

from common.logs import Logger
from mailer.database import Connection, Pool, persistently, saying_away
from mailer.delivery import outbox
from mailer.delivery.message import usable
from mailer.delivery.outbox import Parcel
from mailer.delivery.smtp import Refused, Reply
from mailer.episodes import ledger
from mailer.episodes.deferral import Hindrance, Until
from mailer.episodes.emails import blank
from mailer.episodes.ledger import Change
from mailer.episodes.permission import may_send
from mailer.episodes.policies import Policies
from mailer.episodes.standing import CLIENT_GONE, Days
from mailer.episodes.states import State
from mailer.words.letter import Letter

TRIES_MAX = 12
"""A server may put one recipient off so often: for most of a day, at the usual pauses."""
WAIT_MAX_S = 4 * 3600.0
PUT_OFF_MAX_S = 900.0
"""A server that fails over a recipient may be well again soon: nobody waits longer for that."""
BEGIN_LIMIT_S = 10.0

NO_ADDRESS = "the client has no address that emails can be sent to"
TOO_OLD = "the text became final too long ago to be sent"

T = TypeVar("T")


@dataclass(frozen=True)
class Ready:
    """A text that may be sent, and to whom. The address is nowhere stored or logged."""

    letter: Letter
    address: str


class Results:
    """Moves parcels through the ledger; a sender that lost its lease changes nothing there."""

    def __init__(
        self,
        pool: Pool,
        policies: Policies,
        days: Days,
        *,
        lease_s: float,
        retry_base_s: float,
        age_max: timedelta,
        log: Logger,
    ) -> None:
        """``age_max`` is business time: older texts are not sent any more."""
        self._pool = pool
        self._policies = policies
        self._days = days
        self._lease_s = lease_s
        self._retry_base_s = retry_base_s
        self._age_max = age_max
        self._log = log
        self._retrying = saying_away(log)

    async def look(self, parcel: Parcel) -> Ready | None:
        """Look whether the text may be sent now; None when not, and then the parcel is settled."""
        return await self.persistently(lambda: self._look(parcel))

    async def begin(self, parcel: Parcel, ready: Ready, message_id: str) -> int | None:
        """Look again, and commit that the data goes out next; return the delivery's number.

        None when it must not go out. Tries once, in a bounded time: the server waits meanwhile.
        Raises one of TRANSIENT when Postgres is away: then nobody knows what was committed.
        """
        async with asyncio.timeout(min(BEGIN_LIMIT_S, self._lease_s / 2)):
            async with self._pool.acquire() as conn, conn.transaction():
                now = await self._ready(conn, parcel)
                if now is None:
                    return None
                if now != ready:
                    await outbox.give_back(conn, parcel)
                    return None
                return await outbox.begin(conn, parcel, message_id, self._lease_s)

    async def finish(self, parcel: Parcel, number: int, reply: Reply) -> None:
        """Note how it ended: taken over by the server, or nobody knows."""
        target: State = "sent" if reply.accepted else "uncertain"
        kept = await self.persistently(
            lambda: self._finish(
                parcel, number, Change("sending", target, reply.text), code=reply.code
            )
        )
        tell = self._log.info if kept and reply.accepted else self._log.error
        tell(
            "delivery ended",
            episode=parcel.episode_id,
            outcome=target,
            reason=reply.text,
            lease_lost=not kept,
        )

    async def refuse(self, parcel: Parcel, message_id: str, refused: Refused) -> None:
        """The server would not take it: later once more, or never."""
        await self.persistently(lambda: self._refuse(parcel, message_id, refused))

    async def release(self, parcel: Parcel, put_off: int = 0) -> None:
        """Give a text back that nothing was sent of, at no try's cost; it waits if ``put_off``.

        The wait doubles each time: ``put_off`` says which time it is.
        """
        await self.persistently(lambda: self._release(parcel, put_off))

    async def abandon(self, parcel: Parcel, reason: str) -> None:
        """Let go of a parcel wherever it is: what may have been sent becomes uncertain."""
        await self.persistently(lambda: self._abandon(parcel, reason))

    async def persistently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do one transaction, again while Postgres is away; raises Transient."""
        return await persistently(work, self._retrying)

    async def _look(self, parcel: Parcel) -> Ready | None:
        async with self._pool.acquire() as conn, conn.transaction():
            return await self._ready(conn, parcel)

    async def _ready(self, conn: Connection, parcel: Parcel) -> Ready | None:
        """Lock client and row, and check everything; settles the parcel when it returns None."""
        # Orders and wishes of this client wait from here on; those committed before are seen by
        # the statements that follow, since each takes a new snapshot.
        await conn.execute("SELECT lock_client($1)", parcel.client_id)
        row = await outbox.lock_held(conn, parcel)
        if row is None:
            self._log.info("lease lost before sending", episode=parcel.episode_id)
            return None
        found = await self._check(conn, row)
        match found:
            case Ready():
                return found
            case Until():
                await ledger.postpone(conn, parcel.episode_id, found)
                await outbox.give_back(conn, parcel)
            case Hindrance():
                await self._end(conn, parcel, found)
        return None

    async def _check(self, conn: Connection, row: asyncpg.Record) -> Ready | Hindrance | Until:
        in_the_way = await may_send(conn, row, self._policies, self._days)
        if in_the_way is not None:
            return in_the_way
        email = await conn.fetchrow(
            "SELECT subject, body, written_as_of, address_of(client_id) AS address"
            " FROM emails WHERE episode_id = $1",
            row["id"],
        )
        if email is None or self._is_too_old(email):
            return Hindrance("suppressed", TOO_OLD)
        address = usable(email["address"])
        if address is None:
            return Hindrance("suppressed", NO_ADDRESS)
        return Ready(Letter(email["subject"], email["body"]), address)

    def _is_too_old(self, email: asyncpg.Record) -> bool:
        final: bool = email["written_as_of"] is not None
        return not final or self._days.now() - email["written_as_of"] > self._age_max

    async def _end(self, conn: Connection, parcel: Parcel, why: Hindrance) -> None:
        await ledger.move_one(conn, parcel.episode_id, Change("written", why.target, why.reason))
        if why.reason == CLIENT_GONE:
            await blank(conn, [parcel.episode_id])
        self._log.info("not sent", episode=parcel.episode_id, state=why.target, reason=why.reason)

    async def _finish(
        self, parcel: Parcel, number: int, change: Change, *, code: int | None
    ) -> bool:
        async with self._pool.acquire() as conn, conn.transaction():
            kept = await outbox.finish(conn, parcel, change)
            await outbox.complete(conn, number, change.target, code)
            return kept

    async def _refuse(self, parcel: Parcel, message_id: str, refused: Refused) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            if await outbox.lock_held(conn, parcel) is None:
                return
            tries = await outbox.note_refusal(conn, parcel, message_id, refused.code)
            # What is about us ends no text: a person mends it, or the text becomes too old.
            if refused.for_good or (tries >= TRIES_MAX and not refused.ours):
                times = "" if refused.for_good else f", for the {tries}th time"
                await self._end(conn, parcel, Hindrance("suppressed", f"{refused}{times}"))
                return
            wait_s = self._wait_s(tries, WAIT_MAX_S)
            await outbox.give_back(conn, parcel, f"not sent yet: {refused}", wait_s)
            self._log.warning("put off", episode=parcel.episode_id, code=refused.code, tries=tries)

    def _wait_s(self, times: int, max_s: float) -> float:
        """Return a pause that doubles each time, spread so that many do not return at once."""
        doubled = min(max_s, self._retry_base_s * 2.0 ** min(times - 1, 32))
        return doubled * random.uniform(0.75, 1.25)  # noqa: S311

    async def _release(self, parcel: Parcel, put_off: int) -> None:
        wait_s = self._wait_s(put_off, PUT_OFF_MAX_S) if put_off else 0.0
        async with self._pool.acquire() as conn, conn.transaction():
            if await outbox.lock_held(conn, parcel) is not None:
                await outbox.give_back(conn, parcel, wait_s=wait_s)

    async def _abandon(self, parcel: Parcel, reason: str) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            if await outbox.finish(conn, parcel, Change("sending", "uncertain", reason)):
                self._log.error("delivery ended", episode=parcel.episode_id, outcome="uncertain")
            elif await outbox.lock_held(conn, parcel) is not None:
                await outbox.give_back(conn, parcel)
