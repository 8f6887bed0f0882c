"""The issuer's key, and all that it signs: tokens for access, identity and refresh."""

import hashlib
import json
import os
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import RSAAlgorithm

ALGORITHM = "RS256"
BITS = 2048

Kind = Literal["at+jwt", "JWT", "refresh+jwt"]
"""The ``typ`` of a token's header: access, identity, refresh."""


def base64url(raw: bytes) -> str:
    """Return bytes as base64url without padding (RFC 4648, section 5)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


class Signer:
    """Signs and recognises tokens of one key."""

    def __init__(self, key: rsa.RSAPrivateKey, issuer: str) -> None:
        """``issuer`` is the name under which all is signed."""
        self._key = key
        self._issuer = issuer
        jwk: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        # The key's thumbprint is its name (RFC 7638).
        members = {name: jwk[name] for name in ("e", "kty", "n")}
        canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
        self._kid = base64url(hashlib.sha256(canonical.encode()).digest())
        self.jwks = {"keys": [{**members, "kid": self._kid, "use": "sig", "alg": ALGORITHM}]}

    @classmethod
    def kept_in(cls, file: Path, issuer: str) -> "Signer":
        """Return the signer of a key that lies in a file, made when there is none."""
        if not file.is_file():
            made = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
            pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            draft = file.with_suffix(f".{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_bytes(pem)
            draft.replace(file)
        key = load_pem_private_key(file.read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"{file} holds no RSA key")
        return cls(key, issuer)

    def sign(self, kind: Kind, audience: str, seconds: int, claims: dict[str, Any]) -> str:
        """Return a token that holds for so long."""
        now = int(time.time())
        payload = {"iss": self._issuer, "aud": audience, "iat": now, "exp": now + seconds, **claims}
        headers = {"kid": self._kid, "typ": kind}
        return jwt.encode(payload, self._key, ALGORITHM, headers=headers)

    def read(self, kind: Kind, audience: str, token: str) -> dict[str, Any] | None:
        """Return the claims of a token of ours, or None when it is none that holds."""
        try:
            if jwt.get_unverified_header(token).get("typ") != kind:
                return None
            found: dict[str, Any] = jwt.decode(
                token,
                self._key.public_key(),
                algorithms=[ALGORITHM],
                audience=audience,
                issuer=self._issuer,
                options={"require": ["exp", "iat", "sub"]},
            )
        except jwt.InvalidTokenError:
            return None
        return found
