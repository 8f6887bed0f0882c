"""A bulk load that named an idempotency key: each chunk goes in once, however often it is sent.

What is kept of a chunk is kept in its own transaction, so there is never one without the other. A
chunk is known by an HMAC of its lines under the key itself, which the database does not have.
"""

import hmac
from hashlib import sha256

from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.once import FIELD
from client_api.problems import Conflict, Invalid
from client_api.store import bulk_keys
from client_api.store.bulk import Refusal
from client_api.store.bulk_keys import KeptChunk


class LoadOnce:
    """One request's load. It hears every line, and is asked before a chunk of them goes in."""

    def __init__(self, subject: str, what: str, key: str) -> None:
        """``subject`` is the caller's: each caller has keys of its own, for each kind of rows."""
        self._load = sha256(f"{what} {key} {subject}".encode()).digest()
        self._key = key.encode()
        self._number = 0
        self._lines = self._nothing()
        self.ended_before = False
        """Whether all of it was in before, up to its end."""

    def _nothing(self) -> hmac.HMAC:
        return hmac.new(self._key, digestmod=sha256)

    def hear(self, number: int, raw: bytes | None) -> None:
        """Hear a line of the present chunk; None of one that was too long to keep."""
        self._lines.update(b"%d %d " % (number, -1 if raw is None else len(raw)) + (raw or b""))

    async def done(self, db: AsyncConnection) -> list[Refusal] | None:
        """Return whom the database refused of the present chunk when it went in; None: not yet.

        Raises Conflict while another request has the load, Invalid when another one had the key.
        """
        found = await self._kept(db, is_end=False)
        return None if found is None else found.refused

    async def keep(self, db: AsyncConnection, refused: list[Refusal]) -> None:
        """Keep the present chunk in the transaction that takes it."""
        await self._keep(db, refused, is_end=False)

    def go_on(self) -> None:
        """Begin the next chunk: this one is committed."""
        self._number += 1
        self._lines = self._nothing()

    async def end(self, db: AsyncConnection) -> None:
        """Note that the load has no more chunks; raises as ``done``."""
        self.ended_before = await self._kept(db, is_end=True) is not None
        if not self.ended_before:
            await self._keep(db, [], is_end=True)

    async def _keep(self, db: AsyncConnection, refused: list[Refusal], *, is_end: bool) -> None:
        kept = KeptChunk(self._lines.digest(), refused, is_end)
        await bulk_keys.keep(db, self._load, self._number, kept)

    async def _kept(self, db: AsyncConnection, *, is_end: bool) -> KeptChunk | None:
        if not await bulk_keys.take(db, self._load):
            raise Conflict(
                "a load with this idempotency key is in progress", headers={"Retry-After": "1"}
            )
        found = await bulk_keys.find(db, self._load, self._number)
        if found is None:
            return None
        same = hmac.compare_digest(found.digest, self._lines.digest())
        if not same or found.is_end != is_end:
            raise Invalid(
                "the idempotency key was used for another load",
                [(FIELD, "use a new key for a new load")],
            )
        return found
