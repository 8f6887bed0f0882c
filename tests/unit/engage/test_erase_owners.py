"""Whose a dead letter is: key and value both tell, either may be broken, guesses are not made."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.topics import READ_BY_US
from engage.erase_owners import OF_CLIENTS, client_of, order_of, owners, reduced

IDS = st.integers(1, 2**63 - 1)
OWNER = {7: frozenset({42}), 8: frozenset({42, 43})}


def row(client: int, order: int = 7, **more: object) -> dict[str, object]:
    """Return an image of an order."""
    return {"id": order, "client_id": client, "version": 5, "amount": "739184.17", **more}


@pytest.mark.parametrize(
    ("source", "key", "value", "expected"),
    [
        ("cdc.public.clients", b'{"id":42}', b"{broken", {42}),
        ("cdc.public.clients", b"broken", b'{"before":{"id":42}}', {42}),
        ("cdc.public.clients", b"broken", b"broken", None),
        ("cdc.public.orders", b'{"id":7}', b"{broken", {42}),
        ("cdc.public.orders", b'{"id":8}', None, {42, 43}),
        ("cdc.public.orders", b'{"id":9}', b"{broken", None),
        ("cdc.public.orders", b"", json.dumps({"after": row(44, 9)}).encode(), {44}),
        (
            "cdc.public.orders",
            b'{"id":9}',
            json.dumps({"before": row(44, 9), "after": row(45, 9)}).encode(),
            {44, 45},
        ),
        ("client.events", b"42/order/7", b"\xff", {42}),
        ("client.events.backfill", b"\xff", b'{"subject":"42"}', {42}),
        ("client.at-risk", b"42", None, {42}),
        ("client.scores", None, b'{"data":{"client_id":42}}', {42}),
        ("client.scores", b"4" * 30, b'{"data":{"client_id":true}}', None),
        ("cdc.public.policies", b'{"id":42}', b"{broken", set()),
        ("scorer.control", b"42", b"42", set()),
    ],
)
def test_a_letter_is_whose_its_key_or_value_says(source, key, value, expected):
    """Broken parts tell nothing; what tells nothing at all is nobody's for sure: None."""
    found = owners(source, key, value, OWNER)
    assert found == (None if expected is None else frozenset(expected))


@given(
    st.sampled_from([topic.name for topic in READ_BY_US]),
    st.none() | st.binary(max_size=40),
    st.none()
    | st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "client_id", "before", "after", "data", "subject", "op"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    ).map(lambda document: json.dumps(document).encode()),
)
def test_any_bytes_can_be_asked(source, key, value):
    """Whatever was parked, asking raises nothing; and only letters about clients are somebody's."""
    found = owners(source, key, value, OWNER)
    assert found is None or all(client >= 1 for client in found)
    if source not in OF_CLIENTS:
        assert found == frozenset()
    reduced(value)


@given(IDS, IDS)
def test_keys_tell_client_and_order(client, order):
    """All forms of a key begin with the client's id."""
    for key in (f"{client}", f"{client}/client", f"{client}/0", f"{client}/order/{order}"):
        assert client_of(key.encode()) == client
    assert order_of(f"{client}/order/{order}".encode()) == order
    assert order_of(f"{client}/client".encode()) is None


@given(IDS, IDS, IDS)
def test_what_stays_of_a_shared_letter_is_ids(giver, taker, order):
    """It says whose the order was and is, nothing else; once more changes nothing."""
    whole = {"op": "u", "before": row(giver, order), "after": row(taker, order), "source": {"x": 1}}
    rest = reduced(json.dumps(whole).encode())
    assert rest is not None
    ids = {"id": order, "version": 5}
    assert json.loads(rest) == {
        "op": "u",
        "before": {**ids, "client_id": giver},
        "after": {**ids, "client_id": taker},
    }
    assert reduced(rest) == rest
    assert owners("cdc.public.orders", None, rest, {}) == {giver, taker}
