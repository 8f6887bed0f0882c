"""The message as it goes out: built from a letter, with headers that no name can break. Pure."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime

from mailer.words.letter import Letter

ADDRESS_CHARS_MAX = 254
"""RFC 5321, 4.5.3.1.3, less the angle brackets."""
FOOTER = "To get no more of these emails, open this link:"
BREAKS = frozenset({"Cc", "Zs", "Zl", "Zp"})
"""Unicode's categories of control characters, spaces and separators."""

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_DOMAIN = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")


class _Verbatim(UnstructuredHeader, BaseHeader):
    """A header on one line, as it is.

    Python breaks a word that is longer than a line into encoded words (RFC 2047), where a link or
    an id must have none: mail programs then show no button to unsubscribe.
    """

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_registry = HeaderRegistry()
for _name in ("list-unsubscribe", "list-unsubscribe-post", "message-id"):
    _registry.map_to_type(_name, _Verbatim)
POLICY = SMTP.clone(header_factory=_registry)


@dataclass(frozen=True)
class Outgoing:
    """All that a message is made of."""

    sender: Address
    recipient: str
    """An address as ``usable`` returns it; no name beside it, since a name is the client's word."""
    letter: Letter
    message_id: str
    link: str
    """Where the client ends its emails with one click (RFC 8058)."""
    date: datetime


def usable(address: str | None) -> str | None:
    """Return an address in ASCII, its domain in IDNA; None when no message can go there.

    Addresses whose local part is not ASCII need a server that speaks SMTPUTF8 all the way; quoted
    local parts are left out, too.
    """
    local, at, domain = (address or "").strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    fits = at and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)
    if not fits or len(local) + len(domain) >= ADDRESS_CHARS_MAX or ".." in f".{local}.":
        return None
    return f"{local}@{domain}"


def message_id_of(episode_id: str, domain: str) -> str:
    """Return the Message-ID of an episode: the same for ever, so that a receiver sees a double."""
    return f"<{hashlib.sha256(f'episode:{episode_id}'.encode()).hexdigest()[:32]}@{domain}>"


def build(outgoing: Outgoing) -> bytes:
    """Return the message in the form in which SMTP takes it, all ASCII, before dots are doubled."""
    message = EmailMessage(policy=POLICY)
    message["From"] = outgoing.sender
    message["To"] = Address(addr_spec=outgoing.recipient)
    message["Subject"] = one_line(outgoing.letter.subject)
    message["Date"] = format_datetime(outgoing.date)
    message["Message-ID"] = outgoing.message_id
    message["List-Unsubscribe"] = f"<{outgoing.link}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"
    body = f"{outgoing.letter.body}\n\n{FOOTER}\n{outgoing.link}\n"
    message.set_content(body, charset="utf-8", cte="quoted-printable")
    return message.as_bytes()


def one_line(text: str) -> str:
    """Return a text in which each run of spaces, line ends and control characters is one space."""
    shown = "".join(" " if unicodedata.category(char) in BREAKS else char for char in text)
    return " ".join(shown.split())
