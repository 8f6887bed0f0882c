"""The audit as callers ask for it and get it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import StringConstraints

from client_api.shapes.answer import Answer
from client_api.shapes.requests import PageQuery


class AuditQuery(PageQuery):
    """Which entries: the latest first."""

    resource: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """One resource alone, as in ``client/42``, ``order/7``, ``episode/42-20000``."""


class AuditRow(Answer):
    """What somebody did to one resource; ids and counts, nothing personal to a client."""

    id: int
    at: datetime
    actor: str
    """The subject of the token; a name of ours for what no token did."""
    action: str
    resource: str
    version: int | None
    """Of the row that was written, if it has one."""
    detail: dict[str, Any]
    request: str | None
    """Method and route; null for what no request did."""
    request_id: UUID | None
    """As in the answer's ``X-Request-ID`` and in the log."""
