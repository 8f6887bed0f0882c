"""Links by which a client ends its emails: signed, so that nobody makes one for somebody else.

A token is the client's id in 8 bytes and 16 bytes of HMAC-SHA-256 (RFC 2104) over it, in the URL's
alphabet of base64: 24 bytes are 32 characters without a spare bit, so one client has one token.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

from pydantic import AfterValidator, SecretStr

KEY_BYTES_MIN = 32
ID_BYTES = 8
MAC_BYTES = 16
PURPOSE = b"unsubscribe/1:"
"""Keeps these signatures apart from any other that the same key might make."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


def _is_long_enough(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value().encode()) < KEY_BYTES_MIN:
        raise ValueError(f"must have at least {KEY_BYTES_MIN} bytes")
    return key


LinkKey = Annotated[SecretStr, AfterValidator(_is_long_enough)]
"""The key of all links. Whoever changes it breaks the links in emails already sent."""


def token_of(client_id: int, key: SecretStr) -> str:
    """Return the token of a client; raises OverflowError when the id is no row's."""
    named = client_id.to_bytes(ID_BYTES, "big")
    return urlsafe_b64encode(named + _mac(named, key)).decode()


def client_of(token: str, key: SecretStr) -> int | None:
    """Return the client that a token of ours names; None when it is none of ours."""
    if not _TOKEN.fullmatch(token):
        return None
    told = urlsafe_b64decode(token)
    named, mac = told[:ID_BYTES], told[ID_BYTES:]
    if not hmac.compare_digest(mac, _mac(named, key)):
        return None
    return int.from_bytes(named, "big")


def link_of(base_url: str, client_id: int, key: SecretStr) -> str:
    """Return the address of a client's link on the server at ``base_url``."""
    return f"{base_url.rstrip('/')}/u/{token_of(client_id, key)}"


def _mac(named: bytes, key: SecretStr) -> bytes:
    return hmac.digest(key.get_secret_value().encode(), PURPOSE + named, "sha256")[:MAC_BYTES]
