"""The development issuer: people sign in by a click, and nobody from elsewhere does."""

import base64
import hashlib
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from pydantic import SecretStr

from issuer.app import create_app
from issuer.personas import EVERY_SCOPE, PERSONAS
from issuer.settings import Settings
from issuer.signing import Signer

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
BACK = "http://localhost:5173/signed-in"
URL = "http://127.0.0.1:8020"
ASKED = {
    "client_id": "page",
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": f"openid profile offline_access {EVERY_SCOPE}",
    "state": "st&te",
    "nonce": "n",
    "code_challenge": CHALLENGE.decode(),
    "code_challenge_method": "S256",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of an issuer whose key lies in the test's folder."""
    return Settings(
        port=8020,
        key_file=tmp_path / "key.pem",
        audience="api",
        client_id="page",
        tools_secret=SecretStr("s3cret"),
    )


def served(settings: Settings, client: str = "127.0.0.1", url: str = URL) -> httpx.AsyncClient:
    """Talk to an issuer within this process, from an address."""
    app = create_app(settings, Signer.kept_in(settings.key_file, settings.url))
    transport = httpx.ASGITransport(app, client=(client, 1))
    return httpx.AsyncClient(transport=transport, base_url=url)


async def code_of(http: httpx.AsyncClient, persona: str = "olivia", **changes: str) -> str:
    """Sign in and return the code."""
    answer = await http.post("/authorize", data={**ASKED, **changes, "persona": persona})
    assert answer.status_code == 303, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


async def exchanged(http: httpx.AsyncClient, code: str, **changes: str) -> httpx.Response:
    """Ask for the tokens of a code."""
    form = {
        "grant_type": "authorization_code",
        "client_id": "page",
        "redirect_uri": BACK,
        "code": code,
        "code_verifier": VERIFIER,
    }
    return await http.post("/token", data={**form, **changes})


async def claims_in(http: httpx.AsyncClient, token: str, audience: str) -> dict[str, Any]:
    """Verify a token by the published keys, as any client would."""
    found = (await http.get("/.well-known/openid-configuration")).json()
    (key,) = jwt.PyJWKSet.from_dict((await http.get(found["jwks_uri"])).json()).keys
    assert jwt.get_unverified_header(token)["kid"] == key.key_id
    claims: dict[str, Any] = jwt.decode(
        token, key.key, ["RS256"], audience=audience, issuer=found["issuer"]
    )
    return claims


async def test_a_person_signs_in_and_gets_what_they_may(settings: Settings) -> None:
    """Code, tokens, scopes of the persona; the nonce comes back, and so does the state."""
    async with served(settings) as http:
        answer = await http.post("/authorize", data={**ASKED, "persona": "ana"})
        told = parse_qs(urlsplit(answer.headers["location"]).query)
        assert answer.headers["location"].startswith(f"{BACK}?")
        assert (told["state"], told["iss"]) == (["st&te"], [URL])
        granted = (await exchanged(http, told["code"][0])).json()
        access = await claims_in(http, granted["access_token"], "api")
        assert (access["sub"], access["name"]) == ("ana", "Ana")
        assert set(access["scope"].split()) == PERSONAS["ana"].scopes | {
            *("openid", "profile", "offline_access"),
        }
        identity = await claims_in(http, granted["id_token"], "page")
        assert (identity["sub"], identity["nonce"]) == ("ana", "n")


async def test_a_code_is_taken_once_and_only_with_its_verifier(settings: Settings) -> None:
    """PKCE: whoever finds a code on its way has nothing."""
    async with served(settings) as http:
        for changes in (
            {"code_verifier": "w" * 43},
            {"code_verifier": ""},
            {"redirect_uri": "http://localhost:1/"},
            {"client_id": "other"},
            {"code": "made-up"},
        ):
            answer = await exchanged(http, **{"code": await code_of(http), **changes})
            assert answer.status_code in {400, 401}, changes
            assert answer.json()["error"] in {"invalid_grant", "invalid_client"}
        code = await code_of(http)
        assert (await exchanged(http, code)).status_code == 200
        assert (await exchanged(http, code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "clients:read"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
    ],
)
async def test_a_wrong_request_is_sent_back_with_its_error(
    settings: Settings, changes: dict[str, str], error: str
) -> None:
    """The page that asked is told, by its own way back."""
    async with served(settings) as http:
        answer = await http.get("/authorize", params={**ASKED, **changes})
        assert answer.status_code == 303
        assert parse_qs(urlsplit(answer.headers["location"]).query)["error"] == [error]


@pytest.mark.parametrize(
    "where",
    [
        "https://example.com/",
        "http://example.com/",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@example.com/",
        "http://localhost:1/#x",
        "javascript:alert(1)",
        "",
    ],
)
async def test_nobody_is_sent_away_from_this_machine(settings: Settings, where: str) -> None:
    """Neither with a code nor with an error, nor after signing out."""
    async with served(settings) as http:
        for answer in (
            await http.get("/authorize", params={**ASKED, "redirect_uri": where}),
            await http.post(
                "/authorize", data={**ASKED, "redirect_uri": where, "persona": "olivia"}
            ),
            await http.get("/end-session", params={"post_logout_redirect_uri": where}),
        ):
            assert answer.status_code in {200, 400}
            assert "location" not in answer.headers


async def test_callers_and_names_from_elsewhere_are_refused(settings: Settings) -> None:
    """Another address, or a name that merely leads here, gets nothing."""
    async with served(settings, client="192.0.2.1") as http:
        assert (await http.get("/jwks")).status_code == 403
    async with served(settings, url="http://issuer.example.com:8020") as http:
        assert (await http.get("/jwks")).status_code == 403


async def test_a_browser_stays_signed_in_by_refreshing(settings: Settings) -> None:
    """A refresh token gives new ones, never more than was granted; an access token gives none."""
    async with served(settings) as http:
        granted = (await exchanged(http, await code_of(http, "mark"))).json()
        form = {"grant_type": "refresh_token", "client_id": "page"}
        token = granted["refresh_token"]
        for _ in range(2):
            answer = await http.post("/token", data={**form, "refresh_token": token})
            assert answer.status_code == 200, answer.text
            claims = await claims_in(http, answer.json()["access_token"], "api")
            assert "ops:read" not in claims["scope"]
            token = answer.json()["refresh_token"]
        for wrong in (granted["access_token"], granted["id_token"], token[:-2], ""):
            answer = await http.post("/token", data={**form, "refresh_token": wrong})
            assert answer.json()["error"] == "invalid_grant"
        wider = {**form, "refresh_token": token, "scope": "ops:read clients:read"}
        assert (await http.post("/token", data=wider)).json()["scope"] == "clients:read"


async def test_a_restart_on_its_folder_logs_nobody_out(settings: Settings) -> None:
    """The key is kept for its owner alone; refresh tokens of before still hold."""
    async with served(settings) as http:
        granted = (await exchanged(http, await code_of(http))).json()
    assert settings.key_file.stat().st_mode & 0o777 == 0o600
    async with served(settings) as http:
        form = {"grant_type": "refresh_token", "client_id": "page"}
        answer = await http.post("/token", data={**form, "refresh_token": granted["refresh_token"]})
        assert answer.status_code == 200


async def test_tools_get_tokens_by_their_secret(settings: Settings) -> None:
    """By HTTP Basic or in the form; a wrong secret is a 401, and no refresh token is given."""
    async with served(settings) as http:
        form = {"grant_type": "client_credentials", "scope": "clients:write pii:read"}
        answer = await http.post("/token", data=form, auth=("engagement-tools", "s3cret"))
        assert answer.json()["scope"] == "clients:write pii:read"
        assert "refresh_token" not in answer.json()
        posted = {**form, "client_id": "engagement-tools", "client_secret": "s3cret"}
        assert (await http.post("/token", data=posted)).status_code == 200
        for secret in ("", "other", "s3cre"):
            answer = await http.post("/token", data=form, auth=("engagement-tools", secret))
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


class Seen(HTMLParser):
    """What matters of a page: its tags, and whether anything would run or be styled within."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in {"script", "style"}:
            self.inline.append(tag)
        self.inline += [name for name, _ in attrs if name == "style" or name.startswith("on")]


async def test_the_page_has_a_button_for_each_and_nothing_inline(settings: Settings) -> None:
    """A heading, a language, three buttons; what was asked for is escaped; a strict policy."""
    async with served(settings) as http:
        answer = await http.get("/authorize", params={**ASKED, "state": '"><script>x</script>'})
        seen = Seen(answer.text)
        assert seen.inline == []
        assert seen.tags.count("button") == len(PERSONAS)
        assert {"h1", "main", "title", "form"} <= set(seen.tags)
        assert '<html lang="en">' in answer.text
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'")
        assert "unsafe" not in policy
        assert (await http.get("/style.css")).headers["content-type"].startswith("text/css")


async def test_pages_of_this_machine_may_ask_for_tokens_and_no_others(settings: Settings) -> None:
    """CORS: the dashboard's origin is let in, the world's is not."""
    async with served(settings) as http:
        for origin, let_in in (
            ("http://127.0.0.1:8000", True),
            ("http://localhost:5173", True),
            ("http://127.0.0.1.example.com", False),
            ("https://example.com", False),
        ):
            answer = await http.get("/jwks", headers={"Origin": origin})
            assert ("access-control-allow-origin" in answer.headers) is let_in, origin


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ISSUER_HOST": "0.0.0.0"}, "ISSUER_HOST"),  # noqa: S104 - it must be refused
        ({"ISSUER_HOST": "example.com"}, "ISSUER_HOST"),
        ({"ISSUER_PORT": ""}, "ISSUER_PORT"),
        ({"ISSUER_TOOLS_SECRET": ""}, "ISSUER_TOOLS_SECRET"),
    ],
)
def test_it_refuses_to_serve_others_in_one_line(
    tmp_path: Path, changes: dict[str, str], named: str
) -> None:
    """An address beyond loopback is no setting of it; the exit code is 2."""
    environment = {
        "PATH": os.environ["PATH"],
        "ISSUER_PORT": "8020",
        "ISSUER_KEY_FILE": str(tmp_path / "key.pem"),
        "ISSUER_AUDIENCE": "api",
        "ISSUER_CLIENT_ID": "page",
        "ISSUER_TOOLS_SECRET": "canary",
        **changes,
    }
    done = subprocess.run(
        [sys.executable, "-m", "issuer"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert named in done.stderr
    assert "canary" not in done.stderr
