"""Who may do what: bearer tokens of an OIDC issuer, and the scopes that routes ask for."""

from client_api.auth.needs import Caller, needs, needs_one, says_one
from client_api.auth.principal import Principal
from client_api.auth.scopes import Scope
from client_api.auth.trouble import Forbidden

__all__ = ["Caller", "Forbidden", "Principal", "Scope", "needs", "needs_one", "says_one"]
