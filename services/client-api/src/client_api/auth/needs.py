"""What routes ask of their callers: dependencies that also stand in the OpenAPI document."""

from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase

from client_api.auth.principal import Principal
from client_api.auth.scopes import Scope
from client_api.auth.trouble import Forbidden, Refused


class Bearer(SecurityBase):
    """The security scheme, and the dependency that hands out whom the gate let in.

    One dependency for both spares every request some of FastAPI's work.
    """

    def __init__(self) -> None:
        """Describe the scheme."""
        self.scheme_name = "oidc"
        self.model = HTTPBearer(
            bearerFormat="JWT",
            description="An access token of the OIDC issuer that `GET /api/auth` names.",
        )

    async def __call__(self, request: Request, wanted: SecurityScopes) -> Principal:
        """Return the verified caller; raises Refused without one, Forbidden for a scope."""
        principal = _let_in(request)
        if missing := [Scope(name) for name in wanted.scopes if name not in principal.scopes]:
            raise Forbidden(missing)
        return principal


BEARER = Bearer()


def _let_in(request: Request) -> Principal:
    """Return whom the gate let in; raises Refused when it let in nobody."""
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None:
        raise Refused
    return principal


def needs(*scopes: Scope) -> Any:
    """Ask for a token with all of these scopes: for a route's ``dependencies``."""
    return Security(BEARER, scopes=[scope.value for scope in scopes])


def needs_one(*scopes: Scope) -> Any:
    """Ask for a token with at least one of these scopes: the verified caller, for a parameter.

    FastAPI has no word for it: the route's ``openapi_extra`` is to be ``says_one(...)`` of them.
    """

    async def caller(request: Request) -> Principal:
        principal = _let_in(request)
        if principal.scopes.isdisjoint(scopes):
            raise Forbidden(scopes)
        return principal

    return Depends(caller)


def says_one(*scopes: Scope) -> dict[str, Any]:
    """Say in the document that any one of these scopes is enough."""
    return {"security": [{BEARER.scheme_name: [scope.value]} for scope in scopes]}


Caller = Annotated[Principal, Security(BEARER)]
"""The verified caller, for a route's parameters; asks for a token, whatever its scopes."""
