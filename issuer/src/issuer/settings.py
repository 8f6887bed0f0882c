"""What the development issuer needs from its environment."""

import sys
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from issuer.loopback import HOSTS

EXIT_MISCONFIGURED = 2


class Settings(BaseSettings):
    """The issuer's settings, from variables with ``ISSUER_`` before their names."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, env_prefix="ISSUER_"
    )

    host: str = "127.0.0.1"
    """An address of this machine alone: others are refused."""
    port: Annotated[int, Field(ge=1, le=65535)]
    key_file: Path
    """The signing key; made when it is not there. Kept, it keeps everybody signed in."""
    audience: Annotated[str, Field(min_length=1)]
    """What stands in access tokens as ``aud``."""
    client_id: Annotated[str, Field(min_length=1)]
    """The one public client: the dashboard."""
    tools_client_id: Annotated[str, Field(min_length=1)] = "engagement-tools"
    tools_secret: SecretStr
    """With it command-line tools get tokens by client credentials."""
    access_token_s: Annotated[int, Field(ge=5, le=86_400)] = 900

    @field_validator("host")
    @classmethod
    def _is_loopback(cls, host: str) -> str:
        if host not in HOSTS:
            raise ValueError("this issuer asks for no passwords: it serves this machine alone")
        return host

    @property
    def url(self) -> str:
        """The issuer's name, under which it is also found."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


S = TypeVar("S", bound=BaseSettings)


def load(cls: type[S]) -> S:
    """Read settings, or say in one line what is missing and exit with 2."""
    try:
        return cls()
    except ValidationError as error:
        prefix = cls.model_config.get("env_prefix", "")
        problems = ", ".join(
            f"{prefix}{str(e['loc'][0]).upper()} ({e['msg']})"
            for e in error.errors(include_url=False, include_input=False)
        )
        sys.stderr.write(f"cannot start: check the environment: {problems}\n")
        raise SystemExit(EXIT_MISCONFIGURED) from None
