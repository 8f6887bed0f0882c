"""What delivery needs from the environment; nothing while it is off."""

import re
import ssl
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from common.unsubscribe import LinkKey
from mailer.delivery.message import one_line, usable
from mailer.settings import Seconds, is_loopback

NEEDED = ("smtp_host", "mail_from", "unsubscribe_base_url", "link_key")
Tls = Literal["starttls", "tls", "none"]


class DeliverySettings(BaseSettings):
    """How emails leave the house: not at all, unless somebody says so."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    delivery: Literal["off", "smtp"] = "off"
    smtp_host: Annotated[str, Field(pattern=r"^([A-Za-z0-9:-]+(\.[A-Za-z0-9:-]+)*)?$")] = ""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: Tls = "starttls"
    """``none`` is for this machine alone: passwords and emails would travel in the clear."""
    smtp_ca_file: Path | None = None
    """Whom to trust in place of the system's authorities, as PEM."""
    smtp_timeout_s: Annotated[float, Field(gt=0, le=60)] = 30.0
    """All that comes before the message's data, from connecting on, takes at most this long."""
    smtp_reply_s: Seconds = 600.0
    """How long the server may take to answer the data: a shorter wait makes more sends uncertain
    (RFC 5321, 4.5.3.2.6)."""
    smtp_connections: Annotated[int, Field(ge=1, le=100)] = 4
    """Messages on their way at once."""
    delivery_retry_base_s: Seconds = 60.0
    """The first pause after a server said to try later; it doubles with each try."""
    delivery_age_max_days: Annotated[float, Field(gt=0, le=3650)] = 14.0
    """Texts that became final longer ago, in business time, are not sent any more: so that nothing
    old goes out when delivery is switched on, or after a long outage."""
    mail_from: str = ""
    """The sender, with a name: Your Shop <news@shop.example>."""
    unsubscribe_base_url: str = ""
    """Where clients reach client-api: links are made from it."""
    link_key: LinkKey | None = None
    """The key of the links, the same as client-api's."""

    @field_validator("mail_from")
    @classmethod
    def _is_a_sender(cls, text: str) -> str:
        name, address = parseaddr(text)
        if text and (one_line(text) != text.strip() or not name or usable(address) is None):
            raise ValueError("must be a name and an address: Your Shop <news@shop.example>")
        return text

    @field_validator("unsubscribe_base_url")
    @classmethod
    def _is_safe(cls, url: str) -> str:
        if not url:
            return url
        parts = urlsplit(url)
        if not re.fullmatch(r"[!-~]+", url) or re.search(r"[<>\"\\]", url) or not parts.hostname:
            raise ValueError("must be an https URL")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must hold no user, password, query or fragment")
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
            raise ValueError("must be https; plain http is for loopback only")
        return url.rstrip("/")

    @field_validator("smtp_ca_file")
    @classmethod
    def _can_be_read(cls, file: Path | None) -> Path | None:
        if file is not None:
            try:
                ssl.create_default_context(cafile=file)
            except (OSError, ValueError):
                raise ValueError("must be a readable PEM file of certificates") from None
        return file

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.delivery == "off":
            return self
        missing = [name.upper() for name in NEEDED if not getattr(self, name)]
        if missing:
            raise ValueError(f"DELIVERY=smtp needs {', '.join(missing)}")
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("SMTP_USER and SMTP_PASSWORD go together")
        if self.smtp_tls == "none" and not is_loopback(self.smtp_host):
            raise ValueError("SMTP_TLS=none is for loopback only")
        return self

    @property
    def sender(self) -> Address:
        """The sender, as a header takes it; raises ValueError while none is set."""
        name, address = parseaddr(self.mail_from)
        found = usable(address)
        if found is None:
            raise ValueError("MAIL_FROM is not set")
        return Address(name, addr_spec=found)
