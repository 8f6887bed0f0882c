"""Which keys may sign, and how seldom the issuer is asked for them."""

import asyncio
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from client_api.auth.keys import FRESH_S, KEPT_S, Keys
from client_api.auth.tokens import keys_of
from client_api.auth.trouble import Refused
from client_api.problems import Unavailable
from common.errors import Transient

RSA = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048).public_key(), as_dict=True)
WEAK = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it must be refused
SHORT = RSAAlgorithm.to_jwk(WEAK.public_key(), as_dict=True)
P256 = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True)
P384 = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True)


def test_only_keys_that_may_sign_are_taken() -> None:
    """RSA from 2048 bits and P-256; nothing symmetric, nothing for encryption, nothing odd."""
    some = [
        {**RSA, "kid": "rsa"},
        {**RSA, "kid": "marked", "use": "sig", "alg": "RS256"},
        {**P256, "kid": "p256"},
        {**RSA, "kid": "encrypts", "use": "enc"},
        {**RSA, "kid": "another", "alg": "RSA-OAEP"},
        {**RSA, "kid": "pss", "alg": "PS256"},
        {**SHORT, "kid": "short"},
        {**P384, "kid": "p384"},
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0", "alg": "HS256"},
        {**RSA, "kid": 7},
        RSA,
        {"kty": "RSA", "kid": "hollow"},
        {"kty": "RSA", "kid": "numbers", "n": 1, "e": 2},
        {"kty": "EC", "kid": "listed", "crv": ["P-256"]},
        "no key",
    ]
    found = keys_of({"keys": some})
    assert {kid: key.algorithm_name for kid, key in found.items()} == {
        "rsa": "RS256",
        "marked": "RS256",
        "p256": "ES256",
    }


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["keys", "kty", "kid", "n", "e", "crv", "x", "y", "use", "alg"]),
                inner | st.sampled_from(["RSA", "EC", "P-256", "sig"]),
            )
        ),
    )
)
def test_whatever_an_issuer_publishes_is_no_crash(document: Any) -> None:
    """An odd document has no keys, and that is all."""
    assert keys_of(document if isinstance(document, dict) else {"keys": document}) == {}


class Clock:
    """Seconds, set forward by the test."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Source:
    """An issuer that counts who asks, and answers when it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.down = False
        self.document: dict[str, Any] = {"keys": [{**RSA, "kid": "a"}]}
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self) -> dict[str, jwt.PyJWK]:
        self.asked += 1
        await self.open.wait()
        if self.down:
            raise Transient("down")
        return keys_of(self.document)


@pytest.fixture
def clock() -> Clock:
    """The test's own time."""
    return Clock()


@pytest.fixture
def source() -> Source:
    """The test's own issuer."""
    return Source()


@pytest.fixture
def keys(clock: Clock, source: Source) -> Keys:
    """Keys that are asked for every 30 seconds at most."""
    return Keys(source, interval_s=30, clock=clock)


async def test_all_who_wait_share_one_request(keys: Keys, source: Source) -> None:
    """While an answer is on its way nobody asks again."""
    source.open.clear()
    waiting = [asyncio.create_task(keys.find("a")) for _ in range(50)]
    await asyncio.sleep(0)
    source.open.set()
    assert len({id(key) for key in await asyncio.gather(*waiting)}) == 1
    assert source.asked == 1


async def test_unknown_keys_ask_once_an_interval(keys: Keys, source: Source, clock: Clock) -> None:
    """A thousand tokens within the interval are one request, and so are those of the next one."""
    for round_ in (1, 2, 3):
        for number in range(1000):
            with pytest.raises(Refused):
                await keys.find(f"unknown-{number}")
        assert source.asked == round_
        clock.now += 30


async def test_an_issuer_that_is_down_is_asked_once_an_interval_too(
    keys: Keys, source: Source, clock: Clock
) -> None:
    """Without keys it is our trouble: Unavailable, however many ask."""
    source.down = True
    for round_ in (1, 2):
        for _ in range(100):
            with pytest.raises(Unavailable):
                await keys.find("a")
        assert source.asked == round_
        assert keys.trouble is not None
        clock.now += 30
    source.down = False
    assert (await keys.find("a")).key_id == "a"
    assert keys.trouble is None


async def test_old_keys_serve_while_new_ones_are_asked_for(
    keys: Keys, source: Source, clock: Clock
) -> None:
    """Nobody waits for that; what is gone from the set serves no more afterwards."""
    await keys.find("a")
    clock.now += FRESH_S + 1
    source.document = {"keys": [{**P256, "kid": "b"}]}
    assert keys.known("a") is not None
    assert (await keys.find("b")).key_id == "b"
    assert keys.known("a") is None
    assert source.asked == 2


async def test_keys_that_nobody_confirmed_for_a_day_serve_no_more(
    keys: Keys, source: Source, clock: Clock
) -> None:
    """An issuer that is gone for good must not leave its keys behind."""
    await keys.find("a")
    source.down = True
    clock.now += KEPT_S
    assert keys.known("a") is not None
    clock.now += 1
    with pytest.raises(Unavailable):
        await keys.find("a")
    await keys.stop()
