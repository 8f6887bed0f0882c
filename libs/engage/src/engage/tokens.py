"""An access token for what only client-api may do: client credentials at the issuer (RFC 6749)."""

from typing import Any

import httpx

from common.errors import Misconfigured
from engage.settings import Settings

DISCOVERY = "/.well-known/openid-configuration"
LIMIT_S = 10.0


def access_token(settings: Settings, scope: str) -> str:
    """Return a token of ours with a scope; raises Misconfigured when the issuer gives none."""
    issuer, client, secret = settings.tools
    form = {"grant_type": "client_credentials", "scope": settings.tools_scope or scope}
    if settings.auth_audience:
        form["audience"] = settings.auth_audience
    try:
        # The environment's proxies are for the world outside; an issuer here is on loopback.
        with httpx.Client(timeout=LIMIT_S, trust_env=not issuer.startswith("http:")) as http:
            known = _read(http.get(issuer.rstrip("/") + DISCOVERY))
            granted = _read(http.post(known["token_endpoint"], data=form, auth=(client, secret)))
            return str(granted["access_token"])
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        raise Misconfigured(f"the issuer gives no token: {type(error).__name__}") from None


def _read(answer: httpx.Response) -> dict[str, Any]:
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
