"""Authorization codes: handed out once, taken once, soon forgotten."""

import hashlib
import secrets
import time
from collections import OrderedDict
from typing import NamedTuple

from issuer.personas import Persona
from issuer.requests import SignInRequest
from issuer.signing import base64url

HOLDS_S = 60.0
OPEN_MAX = 1000


class Grant(NamedTuple):
    """Who signed in, for which request."""

    persona: Persona
    request: SignInRequest
    until: float


class Codes:
    """The codes that are on their way back to us."""

    def __init__(self) -> None:
        """Start with none."""
        self._open: OrderedDict[str, Grant] = OrderedDict()

    def hand_out(self, persona: Persona, request: SignInRequest) -> str:
        """Return a new code."""
        code = secrets.token_urlsafe(32)
        self._open[code] = Grant(persona, request, time.monotonic() + HOLDS_S)
        while len(self._open) > OPEN_MAX:
            self._open.popitem(last=False)
        return code

    def take(self, code: str, redirect_uri: str, verifier: str) -> Grant | None:
        """Return what a code stands for, once; None when anything does not fit (RFC 7636, 4.6)."""
        grant = self._open.pop(code, None)
        if grant is None or grant.until < time.monotonic():
            return None
        challenge = base64url(hashlib.sha256(verifier.encode()).digest())
        fits = secrets.compare_digest(challenge, grant.request.code_challenge)
        return grant if fits and redirect_uri == grant.request.redirect_uri else None
