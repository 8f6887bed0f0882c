"""What the projector and the migration need from their environment, and what all of them do."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from common.settings import ServiceSettings


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


class ProjectorSettings(ServiceSettings):
    """For ``project``."""

    database_url: DatabaseUrl
