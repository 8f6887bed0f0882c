"""What is refused, and that a refusal never repeats what it refuses."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc_relay.debezium import client_change, order_change, policy_change
from cdc_relay.translate import TABLES, translate
from common.errors import PoisonMessage
from tests.unit.cdc_relay.recorded import envelope, raw

NEEDED = [
    (("op",), None),
    (("source",), None),
    (("source", "ts_ms"), None),
    (("before",), None),
    (("before", "client_id"), None),
    (("before", "version"), None),
    *((("after", name), None) for name in ("id", "client_id", "version")),
    *((("after", name), None) for name in ("ordered_at", "amount", "currency", "status")),
]


@pytest.mark.parametrize("path", [path for path, _ in NEEDED])
def test_a_missing_field_fails_closed(path):
    """An order's update without any one field that is needed is poison."""
    value = envelope("order updated")
    holder = value
    for name in path[:-1]:
        holder = holder[name]
    del holder[path[-1]]
    with pytest.raises(PoisonMessage) as poison:
        order_change(raw(value) or b"")
    assert poison.value.reason == "unknown_shape"


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("amount", "NaN"),
        ("amount", "Infinity"),
        ("amount", "1e3"),
        ("amount", "1.234"),
        ("amount", "123456789012345.00"),
        ("amount", "\u0661\u0662.\u0660\u0660"),
        ("amount", 12.5),
        ("amount", "12.50\n"),
        ("ordered_at", "infinity"),
        ("ordered_at", "2024-03-01T10:00:00"),
        ("ordered_at", 1709287200000000),
        ("currency", "usd"),
        ("currency", "USD\n"),
        ("client_id", 0),
        ("client_id", 2**63),
        ("client_id", "42"),
        ("version", 0),
        ("version", None),
        ("version", True),
        ("status", None),
        ("status", "__debezium_unavailable_value"),
    ],
)
def test_values_that_no_event_can_hold_are_poison(name, bad):
    """Wrong types, lost precision, missing zones and placeholders are refused."""
    value = envelope("order inserted")
    value["after"][name] = bad
    with pytest.raises(PoisonMessage):
        order_change(raw(value) or b"")


@pytest.mark.parametrize("op", ["t", "m", "", "cc", "C"])
def test_other_operations_are_poison(op):
    """Truncation, logical messages and what is not known are parked where people look."""
    value = envelope("client inserted")
    value["op"] = op
    with pytest.raises(PoisonMessage) as poison:
        client_change(raw(value) or b"")
    assert poison.value.reason == "unknown_op"


@pytest.mark.parametrize(
    ("read", "name", "image"),
    [
        (client_change, "client inserted", "after"),
        (client_change, "client deleted", "before"),
        (order_change, "order deleted", "before"),
        (policy_change, "policy inserted", "after"),
    ],
)
def test_an_operation_without_its_image_is_poison(read, name, image):
    """Each operation must bring the image it is about."""
    value = envelope(name)
    value[image] = None
    with pytest.raises(PoisonMessage):
        read(raw(value))


def test_a_changed_id_is_poison():
    """The database refuses to change an id; if it happened after all, it is parked."""
    value = envelope("order updated")
    value["after"]["id"] += 1
    with pytest.raises(PoisonMessage) as poison:
        order_change(raw(value) or b"")
    assert poison.value.reason == "key_changed"


@pytest.mark.parametrize(
    "junk",
    [b"", b"not json", b"\xff\xfe", b'{"op":"\xff"}', b'"\\ud800"', b"[" * 200_000, b"1e999"],
)
def test_junk_is_poison(junk):
    """Bytes that are no JSON, or nested beyond reason, are parked and crash nothing."""
    for topic in TABLES:
        if topic != "cdc.public.cdc_heartbeat":
            with pytest.raises(PoisonMessage):
                translate(topic, 0, 0, junk)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(sorted(TABLES)),
    st.sampled_from(["order updated", "client updated", "policy updated"]),
    st.lists(st.tuples(st.sampled_from(["", "before", "after", "source"]), st.text(), values)),
    st.lists(
        st.tuples(
            st.sampled_from(["before", "after", "source"]),
            st.sampled_from(["id", "client_id", "version", "ordered_at", "document", "ts_ms"]),
            values,
        ),
        max_size=3,
    ),
)
def test_any_damage_is_either_harmless_or_poison(topic, name, added, replaced):
    """No record, however damaged, can raise anything but PoisonMessage."""
    value = envelope(name)
    for image, field, bad in [*added, *replaced]:
        holder = value[image] if image else value
        if isinstance(holder, dict):
            holder[field] = bad
    try:
        translate(topic, 0, 0, json.dumps(value).encode())
    except PoisonMessage as poison:
        assert poison.reason  # noqa: PT017 - refusing is one of two right outcomes


@given(st.binary(max_size=200))
def test_any_bytes_are_either_understood_or_poison(junk):
    """No bytes at all can raise anything but PoisonMessage."""
    for topic in TABLES:
        try:
            translate(topic, 0, 0, junk)
        except PoisonMessage as poison:
            assert poison.reason  # noqa: PT017 - refusing is one of two right outcomes


CANARY = "canary@example.com"


@pytest.mark.parametrize(
    "path",
    [
        ("op",),
        ("after", "ordered_at"),
        ("after", "amount"),
        ("after", "currency"),
        ("after", "id"),
        ("source", "ts_ms"),
        ("after",),
        ("source",),
    ],
)
def test_a_refusal_never_repeats_the_input(path):
    """Reasons go to logs and headers: what stood in the record must not."""
    value = envelope("order inserted")
    holder = value
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = CANARY
    with pytest.raises(PoisonMessage) as poison:
        order_change(raw(value) or b"")
    assert CANARY not in str(poison.value)
    with pytest.raises(PoisonMessage) as poison:
        order_change(CANARY.encode())
    assert CANARY not in str(poison.value)


def test_a_refused_policy_never_repeats_its_values():
    """The same holds for documents, which are checked by pydantic."""
    value = envelope("policy inserted")
    value["after"]["document"] = json.dumps({"version": 3, "rho": CANARY})
    with pytest.raises(PoisonMessage) as poison:
        translate("cdc.public.policies", 0, 0, raw(value))
    assert CANARY not in str(poison.value)
