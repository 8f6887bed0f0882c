"""Whose tokens count, for whom, and how much their bearers may ask."""

from dataclasses import dataclass

from client_api.auth.keys import INTERVAL_S

REQUESTS_PER_MINUTE = 60_000
FAILURES_PER_MINUTE = 300
STREAMS_PER_SUBJECT = 600


@dataclass(frozen=True)
class AccessRules:
    """Whose tokens count, for whom, and how much their bearers may ask."""

    issuer: str
    audience: str
    client_id: str
    """The dashboard's, at the issuer; a public client."""
    jwks_url: str | None = None
    jwks_interval_s: float = INTERVAL_S
    requests_per_minute: int = REQUESTS_PER_MINUTE
    failures_per_minute: int = FAILURES_PER_MINUTE
    streams_per_subject: int = STREAMS_PER_SUBJECT
