"""Links by which clients end their emails."""

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError

from common.unsubscribe import LinkKey, client_of, link_of, token_of

KEY = SecretStr("k" * 32)
OTHER = SecretStr("o" * 32)
IDS = st.integers(min_value=1, max_value=2**63 - 1)
URL_SAFE = string.ascii_letters + string.digits + "-_"


@given(IDS)
def test_a_token_names_its_client(client_id: int):
    """What was signed is read again, and fits a URL as it is."""
    token = token_of(client_id, KEY)
    assert client_of(token, KEY) == client_id
    assert set(token) <= set(URL_SAFE)


@given(IDS, st.integers(0, 31), st.sampled_from(URL_SAFE))
def test_a_token_changed_in_one_place_is_none_of_ours(client_id: int, place: int, char: str):
    """No character of a token is without meaning."""
    token = token_of(client_id, KEY)
    assume(token[place] != char)
    assert client_of(token[:place] + char + token[place + 1 :], KEY) is None


@given(st.text(max_size=100))
def test_whatever_somebody_makes_up_is_none_of_ours(text: str):
    """Any text is answered, and none of them names a client."""
    assert client_of(text, KEY) is None


@given(IDS)
def test_a_token_of_another_key_is_none_of_ours(client_id: int):
    """Whoever has not the key cannot sign."""
    assert client_of(token_of(client_id, OTHER), KEY) is None


@pytest.mark.parametrize("also", ["=", "\n", " ", "%0A"])
def test_a_token_with_something_added_is_none_of_ours(also: str):
    """One client has one token."""
    assert client_of(token_of(1, KEY) + also, KEY) is None


def test_a_link_lies_below_the_base_url():
    """With or without a slash at its end."""
    expected = f"https://shop.example/{'u'}/{token_of(7, KEY)}"
    assert link_of("https://shop.example", 7, KEY) == expected
    assert link_of("https://shop.example/", 7, KEY) == expected


def test_a_short_key_is_refused():
    """A key has at least 32 bytes, and a refusal does not repeat it."""

    class Keyed(BaseModel):
        key: LinkKey

    assert Keyed(key=SecretStr("ü" * 16))
    with pytest.raises(ValidationError, match="at least 32 bytes"):
        Keyed(key=SecretStr("ü" * 15))
