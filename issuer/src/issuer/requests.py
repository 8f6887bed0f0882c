"""What a page asks for when it sends somebody here: checked once, carried through the form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from issuer.loopback import is_loopback

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
"""A SHA-256 in base64url (RFC 7636)."""
FIELDS = (
    *("client_id", "redirect_uri", "response_type", "scope", "state", "nonce"),
    *("code_challenge", "code_challenge_method", "response_mode", "prompt"),
)
LONGEST = 2000


class Unsafe(Exception):
    """Nobody may be sent back with this: it is said here."""


class Refusal(Exception):
    """Said to the page that asked, as RFC 6749 has it."""

    def __init__(self, error: str, description: str) -> None:
        """``error`` is one of the standard's words."""
        super().__init__(error)
        self.error = error
        self.description = description


@dataclass(frozen=True)
class SignInRequest:
    """A request for a code (RFC 6749, 7636; OpenID Connect Core 1.0)."""

    client_id: str
    redirect_uri: str
    scope: str
    state: str | None
    nonce: str | None
    code_challenge: str

    def back(self, answer: Mapping[str, str]) -> str:
        """Return the address to send the browser back to, with this answer."""
        return back(self.redirect_uri, answer, self.state)


def back(redirect_uri: str, answer: Mapping[str, str], state: str | None) -> str:
    """Return a redirect's address with an answer in its query."""
    parts = urlsplit(redirect_uri)
    query = [*parse_qsl(parts.query), *answer.items()]
    if state is not None:
        query.append(("state", state))
    return urlunsplit(parts._replace(query=urlencode(query)))


def check_way_back(asked: Mapping[str, str], client_id: str) -> str:
    """Return the redirect URI; raises Unsafe when it is no page of our client, or not here."""
    if asked.get("client_id") != client_id:
        raise Unsafe("the client is not known here")
    redirect_uri = asked.get("redirect_uri", "")
    if len(redirect_uri) > LONGEST or not is_loopback(redirect_uri):
        raise Unsafe("the redirect URI is not on this machine")
    return redirect_uri


def check(asked: Mapping[str, str], client_id: str) -> SignInRequest:
    """Return a request that can be answered with a code; raises Unsafe, Refusal."""
    redirect_uri = check_way_back(asked, client_id)
    if asked.get("response_type") != "code":
        raise Refusal("unsupported_response_type", "only response_type=code")
    if asked.get("response_mode", "query") != "query":
        raise Refusal("invalid_request", "only response_mode=query")
    if asked.get("code_challenge_method") != "S256":
        raise Refusal("invalid_request", "PKCE with code_challenge_method=S256 is required")
    challenge = asked.get("code_challenge", "")
    if CHALLENGE.fullmatch(challenge) is None:
        raise Refusal("invalid_request", "code_challenge is no SHA-256 in base64url")
    if "openid" not in asked.get("scope", "").split():
        raise Refusal("invalid_scope", "the scope openid is required")
    if "none" in asked.get("prompt", "").split():
        raise Refusal("login_required", "nobody is remembered here")
    return SignInRequest(
        client_id=client_id,
        redirect_uri=redirect_uri,
        scope=asked["scope"],
        state=asked.get("state"),
        nonce=asked.get("nonce"),
        code_challenge=challenge,
    )
