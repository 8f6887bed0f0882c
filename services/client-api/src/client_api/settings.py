"""What each entry point of client-api needs from its environment."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

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
    """For ``migrate``: the owner of the schema, and the passwords that the roles get."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_admin_url: DatabaseUrl
    client_api_password: Password
    mailer_password: Password
    cdc_password: Password
    engage_password: Password
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"


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
