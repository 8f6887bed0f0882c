"""What ``serve`` needs from its environment."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from client_api import bounds
from client_api.auth.rules import (
    FAILURES_PER_MINUTE,
    REQUESTS_PER_MINUTE,
    STREAMS_PER_SUBJECT,
    AccessRules,
)
from client_api.settings import DatabaseUrl
from common.settings import ServiceSettings
from common.unsubscribe import LinkKey


class ApiSettings(ServiceSettings):
    """For ``serve``."""

    database_url: DatabaseUrl
    http_host: str = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8000
    dashboard_dir: Path | None = None
    """The built dashboard; none is served without."""
    engage_database_url: DatabaseUrl | None = None
    """Postgres for operators' tasks, as the role ``engage``; without it they answer 503."""
    connect_url: str | None = None
    """Kafka Connect, for backfills."""
    mailer_url: str | None = None
    """The mailer's health address, for the status."""
    link_key: LinkKey | None = None
    """The mailer's key of unsubscribe links; without it they answer 503."""
    model_sandbox: bool = False
    """Only so that the page can say so."""
    auth_issuer: str
    """The OIDC issuer whose access tokens count; https, or http on this machine alone."""
    auth_audience: str
    """What must stand in a token's ``aud``."""
    auth_client_id: str
    """The dashboard's public client at the issuer."""
    auth_jwks_url: str | None = None
    """The issuer's key set; found by discovery without."""
    rate_limit_per_minute: Annotated[int, Field(ge=1)] = REQUESTS_PER_MINUTE
    """Requests that each subject may make, at each replica."""
    rate_limit_failures_per_minute: Annotated[int, Field(ge=1)] = FAILURES_PER_MINUTE
    """Requests without a valid token that each address may make, at each replica."""
    event_streams_per_subject: Annotated[int, Field(ge=1)] = STREAMS_PER_SUBJECT

    bulk_bytes_max: Annotated[int, Field(ge=1)] = bounds.BULK_BYTES_MAX
    """Bytes that the body of a bulk load may have."""
    bulk_lines_max: Annotated[int, Field(ge=1)] = bounds.BULK_LINES_MAX
    """Lines that a bulk load may have."""
    bulk_refusals_bytes_max: Annotated[int, Field(ge=0)] = bounds.BULK_REFUSALS_BYTES_MAX
    """Bytes of refusals that a load names line by line; they wait in the temporary folder."""

    trust_traceparent: bool = False
    """Go on with a caller's trace, and record what it says is to be recorded: only where nobody
    gets here but through a gateway of ours, which decides that."""

    @model_validator(mode="after")
    def _has_two_ports(self) -> Self:
        if self.health_port and self.health_port == self.http_port:
            raise ValueError("HEALTH_PORT must not be HTTP_PORT: metrics are not for callers")
        return self

    @property
    def bulk_bounds(self) -> bounds.BulkBounds:
        """How much one bulk load may be."""
        return bounds.BulkBounds(
            self.bulk_bytes_max, self.bulk_lines_max, self.bulk_refusals_bytes_max
        )

    @property
    def access_rules(self) -> AccessRules:
        """Whose tokens count, for whom, and how much their bearers may ask."""
        return AccessRules(
            issuer=self.auth_issuer,
            audience=self.auth_audience,
            client_id=self.auth_client_id,
            jwks_url=self.auth_jwks_url,
            requests_per_minute=self.rate_limit_per_minute,
            failures_per_minute=self.rate_limit_failures_per_minute,
            streams_per_subject=self.event_streams_per_subject,
        )
