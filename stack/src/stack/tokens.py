"""Access tokens of the run's development issuer: signs one of its people in, as a browser does.

Code flow with PKCE (RFC 7636): the sign-in page asks for no password, so a program can press its
button as well as a person.
"""

import hashlib
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Generator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from stack.errors import Missing

CLIENT_ID = "engagement-dashboard"
AUDIENCE = "engagement-api"
TOOLS_CLIENT_ID = "engagement-tools"
BACK = "http://127.0.0.1/"
"""Where the browser would be sent back to; nobody follows."""
PERSONAS = ("olivia", "mark", "ana")
OWNER = "olivia"
TIMEOUT_S = 10.0
EARLY_S = 60.0
"""A token is renewed so long before it ends."""


def bearer(issuer_url: str, persona: str = OWNER) -> str:
    """Return an access token of one of the issuer's people; raises Missing when there is none."""
    return str(_signed_in(issuer_url, persona)["access_token"])


class As(httpx.Auth):
    """Signs every request as one of the issuer's people, with a fresh token before one ends."""

    def __init__(self, issuer_url: str, persona: str = OWNER) -> None:
        """Sign in with the first request."""
        self._issuer_url = issuer_url
        self._persona = persona
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the token, unless the request has one."""
        if "Authorization" not in request.headers:
            request.headers["Authorization"] = f"Bearer {self.token()}"
        yield request

    def token(self) -> str:
        """Return a token that holds for a while; raises Missing."""
        with self._lock:
            if time.monotonic() > self._until:
                found = _signed_in(self._issuer_url, self._persona)
                self._token = found["access_token"]
                self._until = time.monotonic() + found["expires_in"] - EARLY_S
            return self._token


def _signed_in(issuer_url: str, persona: str) -> dict[str, Any]:
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    try:
        # Proxies of the environment have no business on loopback.
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as http:
            known = http.get(f"{issuer_url}/.well-known/openid-configuration").json()
            asked = {
                "client_id": CLIENT_ID,
                "redirect_uri": BACK,
                "response_type": "code",
                "scope": " ".join(known["scopes_supported"]),
                "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
                "code_challenge_method": "S256",
            }
            answer = http.post(known["authorization_endpoint"], data={**asked, "persona": persona})
            way_back = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
            if "code" not in way_back:
                raise Missing(f"the issuer lets nobody called {persona!r} in")
            form = {
                "grant_type": "authorization_code",
                "client_id": CLIENT_ID,
                "redirect_uri": BACK,
                "code": way_back["code"][0],
                "code_verifier": verifier,
            }
            granted = http.post(known["token_endpoint"], data=form)
            granted.raise_for_status()
            tokens: dict[str, Any] = granted.json()
            return tokens
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise Missing(
            f"the issuer at {issuer_url} gives no token: {type(error).__name__}"
        ) from None
