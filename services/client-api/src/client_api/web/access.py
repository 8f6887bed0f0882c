"""Where to sign in, and who one is, over HTTP."""

from fastapi import APIRouter

from client_api.auth import Caller, Scope
from client_api.shapes.access import Me, SignIn
from client_api.web.state import Shared

router = APIRouter(prefix="/api", tags=["access"])


@router.get("/auth")
async def read_sign_in(parts: Shared) -> SignIn:
    """Tell how to get an access token: code flow with PKCE at the issuer; needs none itself."""
    rules = parts.access.rules
    return SignIn(
        issuer=rules.issuer,
        client_id=rules.client_id,
        audience=rules.audience,
        scopes=sorted(Scope),
    )


@router.get("/me")
async def read_me(who: Caller) -> Me:
    """Tell whom the access token is of, and what it allows."""
    return Me(subject=who.subject, name=who.name, scopes=sorted(who.scopes))
