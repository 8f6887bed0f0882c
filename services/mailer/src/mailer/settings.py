"""What the mailer needs from its environment."""

from decimal import Decimal
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from common.settings import ServiceSettings

Seconds = Annotated[float, Field(gt=0, le=3600)]


class Settings(ServiceSettings):
    """The mailer's settings, beside those that all services share."""

    database_url: SecretStr
    """postgresql://mailer:password@host:port/engage"""
    openrouter_base_url: str = "https://openrouter.ai/api/v1"
    openrouter_api_key: SecretStr
    openrouter_model: str
    """The one model, by its slug: never a router or a moving alias, since those are fallbacks."""
    openrouter_provider: str
    model_sandbox: bool = False
    """Whether the base URL is the sandbox; recorded with each call and each email."""
    mailer_concurrency: Annotated[int, Field(ge=1, le=1000)] = 8
    """Model calls in flight at most."""
    model_requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    """Model calls that all mailers together may begin within any minute; none for no limit."""
    model_tokens_per_minute: Annotated[int, Field(ge=5_000)] | None = None
    """Tokens of prompts and answers within any minute; the least is what one call may need."""
    model_cost_per_day_usd: Annotated[Decimal, Field(gt=0, le=1_000_000)] | None = None
    """US dollars that all mailers together may spend in one UTC day."""
    holdout_salt: SecretStr
    lease_s: Annotated[float, Field(ge=1, le=3600)] = 60.0
    tick_period_s: Seconds = 1.0
    """The scorer's tick period in wall seconds; bounds how late an episode may be told."""
    model_deadline_s: Seconds = 60.0
    """A whole model call, from connecting to the last byte, takes at most this long."""
    retry_base_s: Seconds = 2.0
    """The first pause after a failed call; it doubles with each attempt."""
    probe_base_s: Seconds = 2.0
    """The first wait before a paused model is probed; it doubles up to a minute."""
    stop_grace_s: Seconds = 10.0
    """How long calls in flight may still take when the service is told to stop."""

    @field_validator("openrouter_base_url")
    @classmethod
    def _is_safe(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an http(s) URL")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must hold no user, password, query or fragment")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("plain http is for loopback only: the key would travel in the clear")
        return url.rstrip("/")

    @field_validator("openrouter_api_key", "holdout_salt", "database_url")
    @classmethod
    def _is_not_blank(cls, secret: SecretStr) -> SecretStr:
        text = secret.get_secret_value()
        if not text.strip():
            raise ValueError("must not be blank")
        return secret

    @field_validator("openrouter_api_key")
    @classmethod
    def _fits_a_header(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value()
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("must be printable ASCII without spaces")
        return key

    @field_validator("openrouter_model")
    @classmethod
    def _is_pinned(cls, slug: str) -> str:
        author, _, name = slug.partition("/")
        if not author or not name or slug != "".join(slug.split()):
            raise ValueError("must be a slug such as author/model")
        if author == "openrouter" or slug.startswith("~"):
            raise ValueError("must be one pinned model, not a router or a moving alias")
        return slug

    @field_validator("openrouter_provider")
    @classmethod
    def _is_a_provider(cls, slug: str) -> str:
        if not slug.strip() or slug != "".join(slug.split()):
            raise ValueError("must be a provider's slug")
        return slug

    @property
    def base_url_is_loopback(self) -> bool:
        """Whether the model is asked on this machine."""
        return is_loopback(urlsplit(self.openrouter_base_url).hostname or "")


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
