"""Who is let in: real tokens against a real key set, and all that can be wrong with one."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.integration.client_api.serving import Api, assert_problem, running_api, until
from tests.servers import Database
from tests.tokens import AUDIENCE, CLIENT_ID, TokenIssuer

FLOOD = 200


@pytest.fixture
def ours() -> Iterator[TokenIssuer]:
    """An issuer of this test's own, which counts who asks it."""
    made = TokenIssuer()
    yield made
    made.stop()


@pytest.fixture
async def guarded(database: Database, ours: TokenIssuer) -> AsyncIterator[Api]:
    """An API that trusts that issuer alone."""
    async with running_api(database.client_api_url, rules=ours.rules()) as api:
        yield api


async def asked(api: Api, token: str | None, path: str = "/api/me") -> httpx.Response:
    """Ask with this token and no other."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=api.http.base_url) as http:
        return await http.get(path, headers=headers)


def assert_refused(answer: httpx.Response, reason: str | None) -> None:
    """A 401 problem with the challenge of RFC 6750."""
    assert_problem(answer, 401)
    challenge = answer.headers["www-authenticate"]
    if reason is None:
        assert challenge == "Bearer"
    else:
        assert challenge == f'Bearer error="invalid_token", error_description="{reason}"'


async def test_a_good_token_says_who_asks(guarded: Api, ours: TokenIssuer) -> None:
    """Subject, name and scopes come from the token; one request for the keys is enough for all."""
    token = ours.token("clients:read", "pii:read", "unknown:scope")
    for _ in range(3):
        answer = await asked(guarded, token)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "subject": "tester",
            "name": "Tess Tester",
            "scopes": ["clients:read", "pii:read"],
        }
    assert (await asked(guarded, ours.token(scope=None, scp="ops:read"))).json()["scopes"] == [
        "ops:read"
    ]
    assert ours.jwks_requests == 1


async def test_how_to_sign_in_is_open_and_names_the_issuer(guarded: Api, ours: TokenIssuer) -> None:
    """A page without a token learns where to get one; its policy lets it connect there."""
    answer = await asked(guarded, None, "/api/auth")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["issuer"], told["audience"], told["client_id"]) == (ours.url, AUDIENCE, CLIENT_ID)
    assert "pii:read" in told["scopes"]
    assert f"connect-src 'self' {ours.url}" in answer.headers["content-security-policy"]


async def test_without_a_token_only_health_and_the_description_are_told(guarded: Api) -> None:
    """All else is a 401 without an error code, also where there is nothing."""
    for path in ("/livez", "/readyz", "/openapi.json", "/docs"):
        assert (await asked(guarded, None, path)).status_code == 200
    for path in ("/api/me", "/api/stats", "/api/clients", "/api/nothing", "/api/"):
        assert_refused(await asked(guarded, None, path), None)
    async with httpx.AsyncClient(base_url=guarded.http.base_url) as http:
        for header in ("", "Bearer", "Basic dTpw", "Token x", "Bearer x y"):
            answer = await http.get("/api/me", headers={"Authorization": header})
            assert_problem(answer, 401)
        # Before anything of the request is judged: not its size, not its form.
        for content in (b"{", b"x" * 2_000_000):
            assert_refused(await http.post("/api/clients", content=content), None)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another audience": ({"aud": "another-api"}, "audience"),
    "an identity token's audience": ({"aud": CLIENT_ID}, "audience"),
    "several audiences without ours": ({"aud": ["a", "b"]}, "audience"),
    "no audience": ({"aud": None}, "claims"),
    "another issuer": ({"iss": "https://login.example.com"}, "issuer"),
    "the issuer with a slash": ({"iss": "SLASH"}, "issuer"),
    "no issuer": ({"iss": None}, "claims"),
    "expired": ({"exp": int(time.time()) - 60}, "expired"),
    "no end": ({"exp": None}, "claims"),
    "an end that is no number": ({"exp": "tomorrow"}, "malformed"),
    "not yet valid": ({"nbf": int(time.time()) + 3600}, "not yet valid"),
    "issued in the future": ({"iat": int(time.time()) + 3600}, "not yet valid"),
    "no time of issue": ({"iat": None}, "claims"),
    "no subject": ({"sub": None}, "claims"),
    "an empty subject": ({"sub": ""}, "claims"),
    "a subject that is too long": ({"sub": "s" * 201}, "claims"),
    "a subject with control characters": ({"sub": "a\nb"}, "claims"),
}


async def test_a_token_with_wrong_claims_is_refused(guarded: Api, ours: TokenIssuer) -> None:
    """Signed by the right key, and still not for us, or not now."""
    for case, (changes, reason) in WRONG.items():
        told = {"iss": f"{ours.url}/"} if changes.get("iss") == "SLASH" else changes
        print(case)
        assert_refused(await asked(guarded, ours.token(**told)), reason)


async def test_clocks_may_be_half_a_minute_apart(guarded: Api, ours: TokenIssuer) -> None:
    """A token that ended ten seconds ago, or begins in ten, still holds."""
    now = int(time.time())
    assert (await asked(guarded, ours.token(exp=now - 10))).status_code == 200
    assert (await asked(guarded, ours.token(nbf=now + 10, iat=now + 10))).status_code == 200


def _unsigned(ours: TokenIssuer) -> str:
    return jwt.encode(ours.claims(), None, "none", headers={"kid": "first"})


def _by_the_public_key(ours: TokenIssuer) -> str:
    """HS256 with the public key as its secret, as in the oldest of these attacks."""
    key = ours.keys["first"].public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = jwt.utils.base64url_encode(b'{"alg":"HS256","typ":"JWT","kid":"first"}')
    body = jwt.encode(ours.claims(), "x" * 32, "HS256").split(".")[1].encode()
    signed = head + b"." + body
    digest = hmac.new(pem, signed, hashlib.sha256).digest()
    return (signed + b"." + jwt.utils.base64url_encode(digest)).decode()


def _by_another_key(ours: TokenIssuer) -> str:
    return ours.signed(ours.claims(), key=rsa.generate_private_key(65537, 2048))


def _ec_named_as_rsa(ours: TokenIssuer) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return ours.signed(ours.claims(), key=key, algorithm="ES256")


def _changed(ours: TokenIssuer) -> str:
    """Another one's claims over our signature."""
    head, _, signature = ours.token("clients:read").split(".")
    return f"{head}.{ours.token().split('.')[1]}.{signature}"


FORGED = {
    "unsigned": (_unsigned, "algorithm"),
    "HS256 with the public key": (_by_the_public_key, "algorithm"),
    "RS512": (lambda o: o.signed(o.claims(), algorithm="RS512"), "algorithm"),
    "ES256 under an RSA key's name": (_ec_named_as_rsa, "algorithm"),
    "another key under a known name": (_by_another_key, "signature"),
    "claims that were changed": (_changed, "signature"),
    "a key within the token": (
        lambda o: o.signed(
            o.claims(), key=rsa.generate_private_key(65537, 2048), headers={"jku": "http://x/"}
        ),
        "signature",
    ),
    "no key named": (lambda o: o.signed(o.claims(), kid=None), "unknown key"),
    "a critical extension": (
        lambda o: o.signed(o.claims(), headers={"crit": ["exp"], "exp": 1}),
        "malformed",
    ),
    "a logout token": (lambda o: o.signed(o.claims(), headers={"typ": "logout+jwt"}), "malformed"),
    "no token": (lambda _: "x", "malformed"),
    "no JSON": (lambda _: "eA.eA.eA", "malformed"),
    "far too long": (lambda o: o.token(filler="x" * 10_000), "malformed"),
}


async def test_a_forged_token_is_refused(guarded: Api, ours: TokenIssuer) -> None:
    """Nothing in a token decides how it is verified."""
    for case, (make, reason) in FORGED.items():
        print(case)
        assert_refused(await asked(guarded, make(ours)), reason)


async def test_a_known_token_is_refused_once_it_has_expired(
    guarded: Api, ours: TokenIssuer
) -> None:
    """What was verified is remembered only as long as it holds."""
    token = ours.token(exp=int(time.time()) - 25)  # it holds for five seconds of the leeway
    assert (await asked(guarded, token)).status_code == 200

    async def refused() -> bool:
        return (await asked(guarded, token)).status_code == 401

    await until(refused)


# --- the issuer's keys ----------------------------------------------------------------------------


async def test_a_flood_of_unknown_keys_asks_the_issuer_once(
    guarded: Api, ours: TokenIssuer
) -> None:
    """However many tokens name keys that nobody has: one request an interval; good ones pass."""
    stranger = rsa.generate_private_key(65537, 2048)
    good = ours.token()
    assert (await asked(guarded, good)).status_code == 200
    before = ours.jwks_requests

    async def flood(number: int) -> int:
        token = ours.signed(ours.claims(), kid=f"k{number}", key=stranger)
        return (await asked(guarded, token)).status_code

    answers = await asyncio.gather(*(flood(number) for number in range(FLOOD)))
    assert set(answers) == {401}
    assert ours.jwks_requests - before <= 1
    assert (await asked(guarded, good)).status_code == 200


async def test_a_new_key_is_found_when_the_interval_is_over(
    database: Database, ours: TokenIssuer
) -> None:
    """Keys may be rotated without a restart, and an old one that is gone holds no more."""
    rules = ours.rules(jwks_interval_s=0.2)
    async with running_api(database.client_api_url, rules=rules) as api:
        old = ours.token()
        assert (await asked(api, old)).status_code == 200
        ours.keys["second"] = ec.generate_private_key(ec.SECP256R1())
        del ours.keys["first"]
        new = ours.signed(ours.claims(), kid="second", key=ours.keys["second"], algorithm="ES256")

        async def let_in() -> bool:
            return (await asked(api, new)).status_code == 200

        await until(let_in)
        assert_refused(await asked(api, old), "unknown key")


def _down() -> tuple[int, bytes]:
    return 500, b"{}"


ODD: dict[str, tuple[str, tuple[int, bytes]]] = {
    "no discovery": ("/.well-known/openid-configuration", (404, b"{}")),
    "no key set": ("/jwks", (500, b"{}")),
    "no JSON": ("/jwks", (200, b"<html>")),
    "a list": ("/jwks", (200, b"[]")),
    "no keys": ("/jwks", (200, b'{"keys": []}')),
    "odd keys": ("/jwks", (200, b'{"keys": [1, {}, {"kid": "first", "kty": "oct", "k": "AA"}]}')),
    "another issuer's discovery": (
        "/.well-known/openid-configuration",
        (200, b'{"issuer": "http://127.0.0.1:1", "jwks_uri": "http://127.0.0.1:1/jwks"}'),
    ),
    "keys elsewhere in the clear": (
        "/.well-known/openid-configuration",
        (200, b'{"issuer": "ISSUER", "jwks_uri": "http://keys.example.com/jwks"}'),
    ),
    "an endless answer": ("/jwks", (200, b" " * 300_000)),
}


async def test_without_keys_callers_wait_and_readiness_says_why(
    database: Database, ours: TokenIssuer
) -> None:
    """An issuer that is down, or odd, is our trouble and not the caller's: 503, never 401."""
    for case, (path, (status, body)) in ODD.items():
        print(case)
        known = dict(ours.answers)
        answer_of = (status, body.replace(b"ISSUER", ours.url.encode()))
        ours.answers[path] = lambda told=answer_of: told  # type: ignore[misc]  # bound at once
        ours.asked.clear()
        async with running_api(database.client_api_url, rules=ours.rules()) as api:
            for _ in range(5):
                answer = await asked(api, ours.token())
                assert_problem(answer, 503)
                assert answer.headers["retry-after"]
            assert len(ours.asked) <= 2
            ready = await asked(api, None, "/readyz")
            assert ready.status_code == 503
            assert ready.json()["issuer"].startswith("no keys of the issuer")
            assert (await asked(api, None, "/livez")).status_code == 200
            probed = await asked(api, None, "/readyz?exclude=issuer&exclude=modle")
            assert (probed.status_code, probed.json()["unknown"]) == (200, ["modle"])
        ours.answers = known


async def test_an_issuer_that_comes_back_is_found(database: Database, ours: TokenIssuer) -> None:
    """Nobody has to restart anything."""
    known = ours.answers["/jwks"]
    ours.answers["/jwks"] = _down
    async with running_api(database.client_api_url, rules=ours.rules(jwks_interval_s=0.1)) as api:
        assert_problem(await asked(api, ours.token()), 503)
        ours.answers["/jwks"] = known

        async def let_in() -> bool:
            return (await asked(api, ours.token())).status_code == 200

        await until(let_in)
        assert (await asked(api, None, "/readyz")).json()["status"] == "ok"


async def test_known_keys_outlast_an_issuer_that_is_down(
    database: Database, ours: TokenIssuer
) -> None:
    """Tokens of known keys hold on; unknown ones are refused, not blamed on the issuer."""
    async with running_api(database.client_api_url, rules=ours.rules(jwks_interval_s=0.1)) as api:
        assert (await asked(api, ours.token())).status_code == 200
        ours.answers["/jwks"] = _down
        stranger = ours.signed(ours.claims(), kid="other")
        assert_refused(await asked(api, stranger), "unknown key")
        assert (await asked(api, ours.token("ops:read"))).status_code == 200


async def test_told_keys_need_no_discovery(database: Database, ours: TokenIssuer) -> None:
    """AUTH_JWKS_URL spares the discovery."""
    rules = ours.rules(jwks_url=f"{ours.url}/jwks")
    async with running_api(database.client_api_url, rules=rules) as api:
        assert (await asked(api, ours.token())).status_code == 200
        assert ours.asked == ["/jwks"]


# --- scopes ---------------------------------------------------------------------------------------


async def test_a_missing_scope_is_a_403_that_names_it(guarded: Api, ours: TokenIssuer) -> None:
    """The token holds, and does not allow this."""
    answer = await asked(guarded, ours.token("clients:read"), "/api/emails")
    assert_problem(answer, 403)
    assert answer.headers["www-authenticate"] == (
        'Bearer error="insufficient_scope", scope="emails:read"'
    )
    assert (await asked(guarded, ours.token("clients:read"), "/api/stats")).status_code == 200


async def test_to_take_everything_away_asks_for_names_too(guarded: Api, ours: TokenIssuer) -> None:
    """An export and an erasure need pii:read beside the client's own scope."""
    for scopes in (["clients:read"], ["pii:read"]):
        answer = await asked(guarded, ours.token(*scopes), "/api/clients/1/export")
        assert_problem(answer, 403)
    headers = ours.bearer("clients:write")
    assert_problem(await guarded.http.delete("/api/clients/1", headers=headers), 403)
