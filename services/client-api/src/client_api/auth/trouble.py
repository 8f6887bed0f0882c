"""What can be wrong with a caller, as problems with the challenges of RFC 6750."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Literal

from client_api.auth.scopes import Scope
from client_api.problems import Problem

Reason = Literal[
    "malformed", "algorithm", "unknown key", "signature", "issuer", "audience", "expired",
    "not yet valid", "claims",
]  # fmt: skip
"""Why a token was refused, for the log: never what it says."""


class Refused(Problem):
    """The request bears no token, or one that does not hold (401)."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, reason: Reason | None = None) -> None:
        """``reason`` is None when there is no token at all: then the challenge names no error."""
        self.reason = reason
        if reason is None:
            detail, challenge = "send an access token: Authorization: Bearer …", "Bearer"
        else:
            detail = f"the access token does not hold: {reason}"
            challenge = f'Bearer error="invalid_token", error_description="{reason}"'
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class Forbidden(Problem):
    """The token holds, and does not allow this (403)."""

    status = HTTPStatus.FORBIDDEN

    def __init__(self, missing: Iterable[Scope]) -> None:
        """Name the scopes that the token lacks."""
        names = " ".join(sorted(missing))
        super().__init__(
            f"the access token lacks a scope: {names}",
            headers={
                "WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{names}"',
            },
        )


class TooMany(Problem):
    """The caller asks too often, or holds too much open (429)."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, detail: str, retry_after_s: int) -> None:
        """Tell the caller when to come back, in whole seconds."""
        super().__init__(detail, headers={"Retry-After": str(max(1, retry_after_s))})
