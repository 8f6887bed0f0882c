"""Tokens for tests: a tiny issuer with a real key set over HTTP, and whatever is signed by it."""

import atexit
import json
import threading
import time
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from client_api.auth.rules import AccessRules
from client_api.auth.scopes import Scope

AUDIENCE = "engagement-api"
CLIENT_ID = "engagement-dashboard"
SUBJECT = "tester"
HOUR_S = 3600

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class TokenIssuer:
    """An OIDC issuer as far as an API sees one: discovery and keys; counts who asks."""

    def __init__(self) -> None:
        """Serve on a free port of loopback."""
        self.keys: dict[str, Key] = {"first": rsa.generate_private_key(65537, 2048)}
        self.asked: list[str] = []
        """The paths that were asked for."""
        self.answers: dict[str, Callable[[], tuple[int, bytes]]] = {
            "/.well-known/openid-configuration": self._discovery,
            "/jwks": self._jwks,
        }
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                status, body = outer.answers.get(self.path, lambda: (404, b"{}"))()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()

    @property
    def jwks_requests(self) -> int:
        """How often the keys were asked for."""
        return self.asked.count("/jwks")

    def rules(self, **changes: Any) -> AccessRules:
        """Return what makes an API trust this issuer."""
        known = {"issuer": self.url, "audience": AUDIENCE, "client_id": CLIENT_ID}
        return AccessRules(**{**known, **changes})

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings that make a process of the API trust this issuer."""
        return {
            "AUTH_ISSUER": self.url,
            "AUTH_AUDIENCE": AUDIENCE,
            "AUTH_CLIENT_ID": CLIENT_ID,
        }

    def claims(self, *scopes: str, **changes: Any) -> dict[str, Any]:
        """Return the claims of a good token; None takes one away, without scopes it has all."""
        now = int(time.time())
        known = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": SUBJECT,
            "name": "Tess Tester",
            "iat": now,
            "exp": now + HOUR_S,
            "scope": " ".join(scopes or [scope.value for scope in Scope]),
        }
        return {name: value for name, value in {**known, **changes}.items() if value is not None}

    def token(self, *scopes: str, **changes: Any) -> str:
        """Return a token with these scopes (all without), its claims changed."""
        return self.signed(self.claims(*scopes, **changes))

    def signed(
        self,
        claims: dict[str, Any],
        *,
        kid: str | None = "first",
        key: Any = None,
        algorithm: str = "RS256",
        headers: dict[str, Any] | None = None,
    ) -> str:
        """Return claims signed by any key and algorithm."""
        named = {} if kid is None else {"kid": kid}
        with_key = self.keys["first"] if key is None else key
        return jwt.encode(claims, with_key, algorithm, headers={**named, **(headers or {})})

    def bearer(self, *scopes: str, **changes: Any) -> dict[str, str]:
        """Return the header of a good token."""
        return {"Authorization": f"Bearer {self.token(*scopes, **changes)}"}

    def _discovery(self) -> tuple[int, bytes]:
        document = {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}
        return 200, json.dumps(document).encode()

    def _jwks(self) -> tuple[int, bytes]:
        return 200, json.dumps({"keys": [_public(kid, k) for kid, k in self.keys.items()]}).encode()


def _public(kid: str, key: Key) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        return {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}
    return {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}


@cache
def issuer() -> TokenIssuer:
    """Return the issuer of this test process, which all good tokens come from."""
    made = TokenIssuer()
    atexit.register(made.stop)
    return made


class Signed(httpx.Auth):
    """Signs every request with a token of the test process's issuer, fresh before it expires."""

    def __init__(self, *scopes: str, **changes: Any) -> None:
        """``scopes`` are the token's (all without); ``changes`` change its claims."""
        self._scopes = scopes
        self._changes = changes
        self._token = ""
        self._until = 0.0

    def auth_flow(self, request: httpx.Request) -> Any:
        """Add the header, unless the request has one."""
        if time.time() > self._until:
            self._token = issuer().token(*self._scopes, **self._changes)
            self._until = time.time() + HOUR_S / 2
        request.headers.setdefault("Authorization", f"Bearer {self._token}")
        yield request
