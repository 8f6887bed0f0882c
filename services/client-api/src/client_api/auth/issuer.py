"""Asks an OIDC issuer for its keys: OpenID Connect Discovery 1.0, then its JSON Web Key Set."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx
import jwt
import orjson

from client_api.auth.tokens import keys_of
from common.errors import Misconfigured, Transient

DISCOVERY = "/.well-known/openid-configuration"
TIMEOUT_S = 3.0
DOCUMENT_BYTES_MAX = 256 * 1024
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def checked_url(name: str, url: str) -> str:
    """Return an address whose answers can be trusted; raises Misconfigured.

    That is https, or http to this machine alone.
    """
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise Misconfigured(f"{name} must be https: http is for an issuer on this machine only")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise Misconfigured(f"{name} must be an address like https://login.example.com/realm")
    return url


def origin_of(url: str) -> str:
    """Return the origin of an address, as a content security policy names it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class Issuer:
    """The one issuer whose tokens count."""

    def __init__(self, url: str, jwks_url: str | None = None) -> None:
        """``jwks_url`` spares the discovery. Raises Misconfigured."""
        self.url = checked_url("AUTH_ISSUER", url)
        self._told_jwks_url = jwks_url and checked_url("AUTH_JWKS_URL", jwks_url)
        self._jwks_url = self._told_jwks_url
        self._http = httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)

    async def keys(self) -> Mapping[str, jwt.PyJWK]:
        """Return the keys that may sign, by ``kid``; raises Transient."""
        if self._jwks_url is None:
            self._jwks_url = await self._discover()
        try:
            return keys_of(await self._read(self._jwks_url))
        except Transient:
            self._jwks_url = self._told_jwks_url
            raise

    async def stop(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _discover(self) -> str:
        document = await self._read(self.url.rstrip("/") + DISCOVERY)
        if document.get("issuer") != self.url:
            raise Transient("the discovery document is of another issuer than AUTH_ISSUER")
        try:
            return checked_url("jwks_uri", str(document.get("jwks_uri")))
        except Misconfigured as error:
            raise Transient(f"the discovery document does not help: {error}") from None

    async def _read(self, url: str) -> dict[str, object]:
        body = bytearray()
        try:
            async with self._http.stream("GET", url) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise Transient(f"the issuer answers {answer.status_code}")
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > DOCUMENT_BYTES_MAX:
                        raise Transient("the issuer's answer is too long")
        except httpx.HTTPError as error:
            raise Transient(f"the issuer does not answer: {type(error).__name__}") from None
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise Transient("the issuer's answer is no JSON object")
        return found
