"""What callers get back about signing in and about themselves."""

from client_api.auth.scopes import Scope
from client_api.shapes.answer import Answer


class SignIn(Answer):
    """What a browser needs to sign in at the issuer."""

    issuer: str
    client_id: str
    audience: str
    """The ``audience`` or ``resource`` that some issuers want to be asked for."""
    scopes: list[Scope]


class Me(Answer):
    """The bearer of the token."""

    subject: str
    name: str
    scopes: list[Scope]
