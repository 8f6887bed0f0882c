"""What the sandbox needs from its environment."""

import sys
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

EXIT_MISCONFIGURED = 2


class Settings(BaseSettings):
    """The sandbox's settings. It listens on loopback only, so there is none for the address."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, env_prefix="SANDBOX_"
    )

    port: Annotated[int, Field(ge=0, le=65535)]
    """0 picks a free one, which the first line of the log names."""
    journal: Path | None = None
    """A file that takes one JSON line for every request: what was asked, and what was answered."""
    delay_ms: Annotated[int, Field(ge=0, le=600_000)] = 0
    """How long the model takes to answer."""
    provider: Annotated[str, Field(min_length=1)] = "sandbox"
    """Who is listed for every model, beside the providers that were asked for it."""


def load() -> Settings:
    """Read the settings, or say in one line what is missing and exit with 2."""
    try:
        return Settings()
    except ValidationError as error:
        problems = ", ".join(
            f"SANDBOX_{str(e['loc'][0]).upper()} ({e['msg']})"
            for e in error.errors(include_url=False, include_input=False)
        )
        sys.stderr.write(f"cannot start: check the environment: {problems}\n")
        raise SystemExit(EXIT_MISCONFIGURED) from None
