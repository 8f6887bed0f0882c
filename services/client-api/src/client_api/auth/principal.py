"""Who asks: what a verified token says about its bearer."""

from dataclasses import dataclass

from client_api.auth.scopes import Scope


@dataclass(frozen=True)
class Principal:
    """The bearer of a verified token."""

    subject: str
    """The issuer's id of it, 1 to 200 characters; the actor of what it does."""
    name: str
    """For people to read; the subject where the token has no name."""
    scopes: frozenset[Scope]
    expires_at: float
    """Until when its token holds, in seconds since 1970."""

    def may(self, scope: Scope) -> bool:
        """Tell whether the token allows it."""
        return scope in self.scopes
