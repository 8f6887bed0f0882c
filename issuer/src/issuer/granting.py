"""What the token endpoint gives, and for what (RFC 6749)."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from issuer.codes import Codes
from issuer.personas import PERSONAS, TOOLS, Persona
from issuer.requests import Refusal
from issuer.settings import Settings
from issuer.signing import Signer

IDENTITY_S = 300
REFRESH_S = 30 * 86_400
OF_OPENID = frozenset({"openid", "profile", "offline_access"})


class Grants:
    """Turns codes, refresh tokens and the tools' secret into tokens."""

    def __init__(self, settings: Settings, signer: Signer, codes: Codes) -> None:
        """Take what it signs with and for whom."""
        self._settings = settings
        self._signer = signer
        self._codes = codes
        self._kinds = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh,
            "client_credentials": self._by_secret,
        }

    def grant(self, asked: Mapping[str, str], authorization: str | None) -> dict[str, Any]:
        """Return the token endpoint's answer; raises Refusal."""
        kind = self._kinds.get(asked.get("grant_type", ""))
        if kind is None:
            raise Refusal("unsupported_grant_type", f"one of: {', '.join(self._kinds)}")
        return kind(asked, authorization)

    def _by_code(self, asked: Mapping[str, str], _: str | None) -> dict[str, Any]:
        self._check_client(asked)
        found = self._codes.take(
            asked.get("code", ""), asked.get("redirect_uri", ""), asked.get("code_verifier", "")
        )
        if found is None:
            raise Refusal("invalid_grant", "the code does not hold, or its verifier does not fit")
        scope = _granted(found.persona, found.request.scope)
        return self._tokens(found.persona, scope, found.request.nonce)

    def _by_refresh(self, asked: Mapping[str, str], _: str | None) -> dict[str, Any]:
        self._check_client(asked)
        token = asked.get("refresh_token", "")
        claims = self._signer.read("refresh+jwt", self._settings.url, token)
        persona = None if claims is None else PERSONAS.get(claims["sub"])
        if claims is None or persona is None:
            raise Refusal("invalid_grant", "the refresh token does not hold")
        # Narrower if so asked, never wider, and never more than the person may by now.
        wanted = asked.get("scope", claims["scope"]).split()
        scope = " ".join(one for one in claims["scope"].split() if one in wanted)
        return self._tokens(persona, _granted(persona, scope), None)

    def _by_secret(self, asked: Mapping[str, str], authorization: str | None) -> dict[str, Any]:
        client, secret = _basic(authorization) or (
            asked.get("client_id", ""),
            asked.get("client_secret", ""),
        )
        known = self._settings.tools_secret.get_secret_value()
        if client != self._settings.tools_client_id or not secrets.compare_digest(
            secret.encode(), known.encode()
        ):
            raise Refusal("invalid_client", "client or secret do not fit")
        scope = _granted(TOOLS, asked.get("scope") or " ".join(TOOLS.scopes))
        return self._access(TOOLS, scope, client)

    def _check_client(self, asked: Mapping[str, str]) -> None:
        if asked.get("client_id") != self._settings.client_id:
            raise Refusal("invalid_client", "the client is not known here")

    def _access(self, persona: Persona, scope: str, client: str) -> dict[str, Any]:
        claims = {
            "sub": persona.key,
            "name": persona.name,
            "client_id": client,
            "scope": scope,
            "jti": secrets.token_urlsafe(16),
        }
        seconds = self._settings.access_token_s
        token = self._signer.sign("at+jwt", self._settings.audience, seconds, claims)
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": seconds,
            "scope": scope,
        }

    def _tokens(self, persona: Persona, scope: str, nonce: str | None) -> dict[str, Any]:
        client = self._settings.client_id
        identity = {"sub": persona.key, "name": persona.name}
        if nonce is not None:
            identity["nonce"] = nonce
        answer = self._access(persona, scope, client)
        answer["id_token"] = self._signer.sign("JWT", client, IDENTITY_S, identity)
        if "offline_access" in scope.split():
            claims = {"sub": persona.key, "scope": scope}
            answer["refresh_token"] = self._signer.sign(
                "refresh+jwt", self._settings.url, REFRESH_S, claims
            )
        return answer


def _granted(persona: Persona, scope: str) -> str:
    allowed = OF_OPENID | persona.scopes
    return " ".join(one for one in dict.fromkeys(scope.split()) if one in allowed)


def _basic(authorization: str | None) -> tuple[str, str] | None:
    """Return client and secret of HTTP Basic as RFC 6749, section 2.3.1, encodes them."""
    kind, _, raw = (authorization or "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(raw, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return unquote_plus(client), unquote_plus(secret)
