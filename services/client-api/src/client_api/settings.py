"""What each entry point of client-api needs from its environment."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from client_api import bounds
from client_api.auth.rules import (
    FAILURES_PER_MINUTE,
    REQUESTS_PER_MINUTE,
    STREAMS_PER_SUBJECT,
    AccessRules,
)
from common.settings import ServiceSettings
from common.unsubscribe import LinkKey


def _is_a_postgres_url(secret: SecretStr) -> SecretStr:
    try:
        url = make_url(secret.get_secret_value())
    except (ArgumentError, ValueError):
        raise ValueError("must look like postgresql://user:password@host:port/name") from None
    if url.drivername not in {"postgresql", "postgres"} or not url.database:
        raise ValueError("must look like postgresql://user:password@host:port/name")
    return secret


def _is_printable_ascii(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not text or not text.isascii() or not text.isprintable():
        raise ValueError("must be printable ASCII")
    return secret


DatabaseUrl = Annotated[SecretStr, AfterValidator(_is_a_postgres_url)]
Password = Annotated[SecretStr, AfterValidator(_is_printable_ascii)]


def asyncpg_url(secret: SecretStr) -> URL:
    """Return the address of a database in the form that SQLAlchemy takes for asyncpg."""
    return make_url(secret.get_secret_value()).set(drivername="postgresql+asyncpg")


class MigrateSettings(BaseSettings):
    """For ``migrate``: the owner of the schema, and the passwords that the roles get.

    All of them or none: with none they are another's affair, as where an operator makes the roles.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_admin_url: DatabaseUrl
    client_api_password: Password | None = None
    mailer_password: Password | None = None
    cdc_password: Password | None = None
    engage_password: Password | None = None
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"

    @model_validator(mode="after")
    def _has_all_or_none(self) -> Self:
        given = [one is not None for one in self._by_role.values()]
        if any(given) and not all(given):
            missing = (f"{role}_password" for role, one in self._by_role.items() if one is None)
            raise ValueError(f"{', '.join(missing).upper()} missing: all roles' passwords or none")
        return self

    @property
    def _by_role(self) -> dict[str, SecretStr | None]:
        return {
            "client_api": self.client_api_password,
            "mailer": self.mailer_password,
            "cdc": self.cdc_password,
            "engage": self.engage_password,
        }

    @property
    def passwords(self) -> dict[str, SecretStr]:
        """The passwords by role; empty where they are another's affair."""
        return {role: one for role, one in self._by_role.items() if one is not None}


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
    shop_currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    """What scores, values at risk and recovered values are reckoned in."""
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
    """Bytes of refusals that a load names line by line; they wait on the disk until it ends."""

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


class ProjectorSettings(ServiceSettings):
    """For ``project``."""

    database_url: DatabaseUrl
