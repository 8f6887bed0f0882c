"""What a request writes, noted as it goes and kept in the write's own transaction."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from client_api.once import Once
from client_api.store import audit


class Note(NamedTuple):
    """One thing that was done to one resource."""

    action: str
    subject: str
    version: int | None
    detail: dict[str, Any]


class Trail:
    """The trail of one request: whoever writes notes it, whoever commits keeps it before."""

    def __init__(self, actor: str, request: str, request_id: UUID) -> None:
        """``actor`` is the caller's subject; ``request`` the method and the route's pattern."""
        self.actor = actor
        self._request = request
        self._request_id = request_id
        self._pending: list[Note] = []
        self._accounted = False
        self.once: Once | None = None
        """The idempotency key that the request named, if it did."""

    @property
    def complete(self) -> bool:
        """Whether all that the request did is accounted for."""
        return self._accounted and not self._pending

    def note(
        self,
        action: str,
        subject: str,
        version: int | None = None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Note what was done to a resource, as in ``note("client.created", "client/42", 7)``.

        ``detail`` holds ids, counts and states, never a name or a text.
        """
        self._pending.append(Note(action, subject, version, detail or {}))

    def wrote_nothing(self) -> None:
        """Say that the request changed nothing: it was a trial, or answered once more."""
        self._accounted = True

    async def keep(self, db: AsyncConnection) -> None:
        """Write what was noted since the last time into the transaction that did it."""
        for note in self._pending:
            await audit.add(
                db,
                actor=self.actor,
                request=self._request,
                request_id=self._request_id,
                **note._asdict(),
            )
            self._accounted = True
        self._pending.clear()
