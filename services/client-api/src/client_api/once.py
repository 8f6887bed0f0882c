"""A create that named an idempotency key: done once, and answered the same when it is repeated.

The answer is kept in the transaction of what was done, so there is never one without the other.
Only answers that tell of success are kept: what failed changed nothing and may be tried again. With
an erased client goes what the answer says of it, and a repetition is told that it is gone.
Header and meaning: draft-ietf-httpapi-idempotency-key-header.
"""

from collections.abc import Callable
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.problems import Conflict, Gone, Invalid
from client_api.store import keys
from client_api.store.keys import Stored

FIELD = "header.idempotency-key"

Whose = Callable[[dict[str, Any]], int | None]
"""Whose data an answer holds, from the answer; None for nobody's."""


class Repeated(Exception):
    """It was done already: here is the answer of then."""

    def __init__(self, answer: Stored) -> None:
        """``answer`` has a body."""
        super().__init__()
        self.answer = answer


class Once:
    """One request's key. Who does the work takes it before, and keeps the answer after."""

    def __init__(self, subject: str, key: str, route: str, body_hash: bytes, whose: Whose) -> None:
        """``subject`` is the caller's: each caller has keys of its own."""
        self._subject, self._key = subject, key
        self._route, self._body_hash = route, body_hash
        self._whose = whose
        self.kept: Stored | None = None
        """The answer, once it is kept."""

    async def look(self, db: AsyncConnection) -> None:
        """Return when nothing was done under the key yet.

        Raises Repeated; Invalid when another request had the key; Gone when its client is erased.
        """
        found = await keys.find(db, self._subject, self._key)
        if found is None:
            return
        if found.body is None:
            raise Gone("this was done, and what it was about is erased since")
        if (found.route, found.body_hash) != (self._route, self._body_hash):
            raise Invalid(
                "the idempotency key was used for another request",
                [(FIELD, "use a new key for a new request")],
            )
        raise Repeated(found)

    async def take(self, db: AsyncConnection) -> None:
        """Take the key for this transaction; raises as ``look``, and Conflict while it is taken."""
        if not await keys.take(db, self._subject, self._key):
            raise Conflict(
                "a request with this idempotency key is in progress", headers={"Retry-After": "1"}
            )
        await self.look(db)

    async def keep(
        self, db: AsyncConnection, status: int, headers: dict[str, str], body: bytes
    ) -> None:
        """Keep the answer in the transaction of what was done."""
        self.kept = Stored(self._route, self._body_hash, status, headers, body)
        await keys.keep(db, self._subject, self._key, self.kept, self._whose(orjson.loads(body)))
