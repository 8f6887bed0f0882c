"""The development issuer over HTTP: OpenID Connect Core and Discovery 1.0, as far as a demo needs.

It asks for no passwords. What keeps it harmless: it serves this machine alone, and sends people
back to pages on this machine alone.
"""

from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, RedirectResponse

from issuer import pages
from issuer.codes import Codes
from issuer.granting import OF_OPENID, Grants
from issuer.loopback import ORIGINS, LoopbackOnly, is_loopback
from issuer.personas import EVERY_SCOPE, PERSONAS, Persona
from issuer.requests import FIELDS, Refusal, Unsafe, back, check, check_way_back
from issuer.settings import Settings
from issuer.signing import ALGORITHM, Signer

FORM_BYTES_MAX = 64 * 1024
SEE_OTHER = 303


def create_app(settings: Settings, signer: Signer) -> FastAPI:
    """Build the issuer."""
    app = FastAPI(title="issuer", docs_url=None, redoc_url=None, openapi_url=None)
    pages_of = SignIn(settings)
    tokens_of = Tokens(settings, signer, pages_of.codes)
    discovered = _discovery(settings.url)
    get, post = app.get, app.post
    get("/.well-known/openid-configuration")(lambda: discovered)
    get("/jwks")(lambda: signer.jwks)
    get("/style.css")(lambda: Response(pages.STYLE, media_type="text/css"))
    get("/authorize")(pages_of.ask)
    post("/authorize")(pages_of.choose)
    get("/end-session")(pages_of.end)
    post("/token")(tokens_of.grant)
    get("/userinfo")(tokens_of.describe)
    app.add_middleware(
        CORSMiddleware,
        allow_origin_regex=ORIGINS,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type"],
    )
    app.add_middleware(LoopbackOnly)
    return app


class SignIn:
    """What people see: the page that asks who they are, and the ways back."""

    def __init__(self, settings: Settings) -> None:
        """Begin with nobody on the way."""
        self._settings = settings
        self.codes = Codes()

    async def ask(self, request: Request) -> Response:
        """Ask who it is, when the request can be answered at all."""
        return self._answered(dict(request.query_params), None)

    async def choose(self, request: Request) -> Response:
        """Send the chosen person back with a code."""
        form = await _form(request)
        return self._answered(form, form.get("persona", ""))

    async def end(self, request: Request) -> Response:
        """Send people back. Nobody is remembered here, so there is nothing to forget."""
        where = request.query_params.get("post_logout_redirect_uri", "")
        if not is_loopback(where):
            return pages.signed_out()
        return RedirectResponse(back(where, {}, request.query_params.get("state")), SEE_OTHER)

    def _answered(self, asked: dict[str, str], persona: str | None) -> Response:
        wanted = {name: asked[name] for name in FIELDS if name in asked}
        client_id = self._settings.client_id
        try:
            request = check(wanted, client_id)
            if persona is None:
                return pages.sign_in(wanted)
            code = self.codes.hand_out(_known(persona), request)
        except Unsafe as unsafe:
            return pages.refused(str(unsafe))
        except Refusal as refusal:
            told = {"error": refusal.error, "error_description": refusal.description}
            where = back(check_way_back(wanted, client_id), told, wanted.get("state"))
            return RedirectResponse(where, SEE_OTHER)
        answer = {"code": code, "iss": self._settings.url}
        return RedirectResponse(request.back(answer), SEE_OTHER, headers=pages.HEADERS)


class Tokens:
    """What programs ask for."""

    def __init__(self, settings: Settings, signer: Signer, codes: Codes) -> None:
        """Take what the tokens are made with."""
        self._grants = Grants(settings, signer, codes)
        self._signer = signer
        self._audience = settings.audience

    async def grant(self, request: Request) -> Response:
        """Give tokens for a code, a refresh token or the tools' secret."""
        headers = {"Cache-Control": "no-store"}
        try:
            found = self._grants.grant(await _form(request), request.headers.get("authorization"))
        except Refusal as refusal:
            status = 401 if refusal.error == "invalid_client" else 400
            document = {"error": refusal.error, "error_description": refusal.description}
            return JSONResponse(document, status, headers=headers)
        return JSONResponse(found, headers=headers)

    async def describe(self, request: Request) -> Response:
        """Tell whom an access token is of."""
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        claims = self._signer.read("at+jwt", self._audience, bearer)
        if claims is None:
            return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        return JSONResponse({"sub": claims["sub"], "name": claims["name"]})


def _known(persona: str) -> Persona:
    if persona not in PERSONAS:
        raise Refusal("access_denied", "nobody of this name can sign in")
    return PERSONAS[persona]


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form; one that is too long has none."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES_MAX:
            return {}
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _discovery(url: str) -> dict[str, Any]:
    return {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "userinfo_endpoint": f"{url}/userinfo",
        "jwks_uri": f"{url}/jwks",
        "end_session_endpoint": f"{url}/end-session",
        "scopes_supported": [*sorted(OF_OPENID), *EVERY_SCOPE.split()],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [
            *("none", "client_secret_basic", "client_secret_post"),
        ],
        "authorization_response_iss_parameter_supported": True,
    }
