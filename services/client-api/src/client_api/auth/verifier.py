"""Turns bearer tokens into callers; what was verified once is remembered as long as it holds."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import jwt

from client_api.auth.keys import Keys
from client_api.auth.principal import Principal
from client_api.auth.tokens import Expected, header_of, principal_in
from client_api.auth.trouble import Refused

REMEMBERED_MAX = 10_000


class _Verified(NamedTuple):
    principal: Principal
    kid: str
    key: jwt.PyJWK


class Verifier:
    """Verifies tokens of one issuer for one audience."""

    def __init__(
        self, keys: Keys, expected: Expected, *, now: Callable[[], float] = time.time
    ) -> None:
        """``now`` is the wall clock, in seconds since 1970."""
        self._keys = keys
        self._expected = expected
        self._now = now
        self._remembered: OrderedDict[bytes, _Verified] = OrderedDict()

    async def verify(self, authorization: str | None) -> Principal:
        """Return the bearer of an ``Authorization`` header; raises Refused, Unavailable."""
        if not authorization:
            raise Refused
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer":
            raise Refused
        # Only the digest is kept: memory that leaks gives no token away.
        digest = hashlib.sha256(token.encode()).digest()
        found = self._remembered.get(digest)
        if found is not None and self._holds(found):
            self._remembered.move_to_end(digest)
            return found.principal
        self._remembered.pop(digest, None)
        header = header_of(token.strip())
        key = await self._keys.find(header.kid)
        if key.algorithm_name != header.algorithm:
            raise Refused("algorithm")
        principal = principal_in(token.strip(), key, self._expected)
        self._remembered[digest] = _Verified(principal, header.kid, key)
        if len(self._remembered) > REMEMBERED_MAX:
            self._remembered.popitem(last=False)
        return principal

    def _holds(self, found: _Verified) -> bool:
        """Tell whether it has not expired, and its key is still one of the issuer's."""
        return self._now() < found.principal.expires_at and self._keys.known(found.kid) is found.key
