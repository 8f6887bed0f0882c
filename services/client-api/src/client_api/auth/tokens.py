"""Whether an access token holds, given the issuer's keys: JWT as RFC 7519, 8725 and 9068 have it.

Pure: no I/O, no memory. Nothing in a token decides how it is verified. The algorithm is that of the
issuer's key, and only asymmetric ones are known; keys and addresses within a token's header
(``jwk``, ``jku``, ``x5u``) are never looked at.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jwt

from client_api.auth.principal import Principal
from client_api.auth.scopes import Scope
from client_api.auth.trouble import Reason, Refused

KINDS = {("RSA", ""): "RS256", ("EC", "P-256"): "ES256"}
"""The one algorithm of each kind and curve of key; none is symmetric."""
ALGORITHMS = frozenset(KINDS.values())
TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
REQUIRED = ("iss", "aud", "sub", "exp", "iat")
LEEWAY_S = 30
"""How far the issuer's clock and ours may be apart."""
BYTES_MAX = 8 * 1024
SUBJECT_MAX = 200
RSA_BITS_MIN = 2048


class Expected(NamedTuple):
    """What a token must say to be for us."""

    issuer: str
    audience: str


class Header(NamedTuple):
    """What an unverified header says of the key; only good for finding it among the issuer's."""

    kid: str
    algorithm: str


def header_of(token: str) -> Header:
    """Return what a token says of its key; raises Refused when it cannot be one of ours."""
    if len(token) > BYTES_MAX:
        raise Refused("malformed")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        raise Refused("malformed") from None
    if header.get("alg") not in ALGORITHMS:
        raise Refused("algorithm")
    if str(header.get("typ", "JWT")).lower() not in TYPES or "crit" in header:
        # There is no extension that we understand.
        raise Refused("malformed")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise Refused("unknown key")
    return Header(kid, header["alg"])


def keys_of(document: Mapping[str, Any]) -> dict[str, jwt.PyJWK]:
    """Return those keys of a JSON Web Key Set (RFC 7517) that may sign access tokens, by ``kid``.

    Others that an issuer publishes (for encryption, of other kinds, too short) are passed over.
    """
    listed = document.get("keys")
    found: dict[str, jwt.PyJWK] = {}
    for raw in listed if isinstance(listed, list) else []:
        if isinstance(raw, dict) and (key := _key_of(raw)) is not None:
            found[str(key.key_id)] = key
    return found


def _key_of(raw: dict[str, Any]) -> jwt.PyJWK | None:
    """Return a key that may sign; None for every other, however odd."""
    algorithm = KINDS.get((str(raw.get("kty")), str(raw.get("crv", ""))))
    if algorithm is None or raw.get("alg", algorithm) != algorithm:
        return None
    if raw.get("use", "sig") != "sig" or not isinstance(raw.get("kid"), str):
        return None
    try:
        key = jwt.PyJWK(raw, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    return None if algorithm == "RS256" and key.key.key_size < RSA_BITS_MIN else key


def principal_in(token: str, key: jwt.PyJWK, expected: Expected) -> Principal:
    """Verify a token with one of the issuer's keys; raises Refused."""
    try:
        claims = jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm_name],
            audience=expected.audience,
            issuer=expected.issuer,
            leeway=LEEWAY_S,
            options={"require": list(REQUIRED)},
        )
    except jwt.InvalidTokenError as error:
        raise Refused(_reason(error)) from None
    subject = claims["sub"]
    if not 1 <= len(subject) <= SUBJECT_MAX or not subject.isprintable():
        raise Refused("claims")
    return Principal(
        subject=subject,
        name=_name(claims) or subject,
        scopes=frozenset(scope for scope in Scope if scope.value in _granted(claims)),
        expires_at=float(claims["exp"]) + LEEWAY_S,
    )


def _reason(error: jwt.InvalidTokenError) -> Reason:
    kinds: tuple[tuple[type[Exception], Reason], ...] = (
        (jwt.ExpiredSignatureError, "expired"),
        (jwt.ImmatureSignatureError, "not yet valid"),
        (jwt.InvalidAudienceError, "audience"),
        (jwt.InvalidIssuerError, "issuer"),
        (jwt.InvalidSignatureError, "signature"),
        (jwt.InvalidAlgorithmError, "algorithm"),
        (jwt.DecodeError, "malformed"),
    )
    return next((reason for kind, reason in kinds if isinstance(error, kind)), "claims")


def _name(claims: Mapping[str, Any]) -> str | None:
    for claim in ("name", "preferred_username"):
        name = claims.get(claim)
        if isinstance(name, str) and name.isprintable() and name.strip():
            return name[:SUBJECT_MAX]
    return None


def _granted(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the granted scopes: ``scope`` as RFC 9068 has it, ``scp`` as Entra and Okta do."""
    for claim in ("scope", "scp"):
        match claims.get(claim):
            case str() as text:
                return frozenset(text.split())
            case list() as names:
                return frozenset(name for name in names if isinstance(name, str))
    return frozenset()
