"""Which rows a dead letter was about, however broken its bytes are."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.topics import READ_BY_US
from engage.letters import Letter
from engage.meaning import need_of


def letter(source: str, key: bytes | None, value: bytes | None = b"{broken") -> Letter:
    """Return a letter."""
    return Letter(source, 0, key, value, {"attempt": "1"}, 0)


def test_a_raw_order_names_its_row_and_every_client_that_may_hold_it():
    """Both images count: an order that moved must be removed where it was."""
    value = json.dumps({"before": {"client_id": 4}, "after": {"client_id": 5}, "op": "u"}).encode()
    need = need_of(letter("cdc.public.orders", b'{"id": 7}', value))
    assert (need.orders, need.pairs) == ({7}, {(4, 7), (5, 7)})


def test_a_raw_order_whose_value_is_broken_is_known_by_its_key():
    """The row can be read; whose it was, only the lanes know."""
    need = need_of(letter("cdc.public.orders", b'{"id": 7}'))
    assert (need.orders, need.pairs, need.impossible) == ({7}, frozenset(), None)


@pytest.mark.parametrize("key", [b"42/client", b"42/erased"])
def test_a_letter_about_a_client_asks_for_all_of_it(key: bytes):
    """The client's row and its orders are sent."""
    need = need_of(letter("client.events", key))
    assert (need.clients, need.whole) == ({42}, True)


def test_a_lane_key_names_client_and_order():
    """The value is not needed."""
    need = need_of(letter("client.events.backfill", b"42/order/7"))
    assert (need.orders, need.pairs) == ({7}, {(42, 7)})


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ("client.events", b"42/order/"),
        ("client.events", b"0/client"),
        ("client.events", None),
        ("cdc.public.orders", b'{"id": true}'),
        ("cdc.public.clients", b"[1]"),
        ("client.scores", b"-3"),
        ("cdc.public.policies", b'{"id": 1}'),
        ("cdc.notifications", b""),
        ("scorer.control", b"tick"),
    ],
)
def test_what_names_no_row_is_left_with_a_reason(source: str, key: bytes | None):
    """A person is told why, and what to do."""
    assert "dismiss it" in (need_of(letter(source, key)).impossible or "")


@given(
    st.sampled_from([topic.name for topic in READ_BY_US]),
    st.none() | st.binary(),
    st.none() | st.binary() | st.from_regex(r"\{.*\}", fullmatch=True).map(str.encode),
)
def test_no_bytes_break_the_reading(source: str, key: bytes | None, value: bytes | None):
    """Letters are what could not be understood: anything may stand in them."""
    need_of(letter(source, key, value))
