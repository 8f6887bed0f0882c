"""The hot path says what the general one says, and leaves to it what it does not know."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc_relay.hot import ORDERS, plain_order
from cdc_relay.translate import translate
from common.codec import decode
from common.errors import PoisonMessage
from common.partition import PartitionMap, partition_of
from tests.unit.cdc_relay.recorded import ENVELOPES, envelope, raw, record_of

PARTITIONS = 12
PLACE = 0, 17
PLAIN = [
    "order inserted",
    "order updated",
    "order read by the snapshot",
    "order in year 1",
    "order in year 9999",
]
ORDER_ENVELOPES = [name for name in ENVELOPES if record_of(name)["topic"] == ORDERS]


def quickly(value: bytes | None):
    """Return what the hot path makes of a record of ``orders``."""
    return plain_order(*PLACE, value, PartitionMap(PARTITIONS))


def check_same(value: bytes | None) -> None:
    """Where the hot path says something, the general one says that and nothing else."""
    found = quickly(value)
    if found is None:
        return
    (topic, body, key, partition, headers), fact = found
    [out] = translate(ORDERS, *PLACE, value)
    assert (topic, body, str(key).encode(), fact) == (out.topic, out.value, out.key, out.fact)
    assert out.client_id is not None
    assert (partition, headers) == (partition_of(out.client_id, PARTITIONS), None)
    assert decode(body).id == fact


@pytest.mark.parametrize("name", PLAIN)
def test_plain_orders_take_the_hot_path(name):
    """Inserts, updates that stay and rows of a snapshot are made here, not left to the other."""
    value = raw(record_of(name)["value"])
    assert quickly(value) is not None
    check_same(value)


@pytest.mark.parametrize("name", [name for name in ORDER_ENVELOPES if name not in PLAIN])
def test_whatever_else_was_recorded_is_left_alone(name):
    """Removals, moves and what must be parked are not the hot path's business."""
    assert quickly(raw(record_of(name)["value"])) is None


def test_a_tombstone_is_left_alone():
    """Nothing follows from it, and that is not said here."""
    assert quickly(None) is None


texts = st.text() | st.sampled_from(["paid", "USD", "usd", "1.234", "NaN", "12.50\n", "\u0661"])
fields = {
    "id": st.integers(-1, 2**63),
    "client_id": st.integers(-1, 2**63),
    "version": st.integers(-1, 2**63) | st.booleans() | st.none(),
    "amount": st.decimals(-999, 999, places=2).map(str) | texts,
    "currency": st.from_regex(r"[A-Z]{3}", fullmatch=True) | texts,
    "status": texts | st.just("__debezium_unavailable_value"),
    "ordered_at": st.datetimes(datetime(1, 1, 1), timezones=st.just(UTC)).map(datetime.isoformat)  # noqa: DTZ001 - hypothesis adds the zone
    | texts,
}


@given(
    st.sampled_from(PLAIN),
    st.sampled_from(["c", "r", "u", "d", "t", ""]),
    st.fixed_dictionaries({}, optional=fields),
    st.none() | st.fixed_dictionaries({}, optional={"id": st.just(7), "client_id": st.just(42)}),
)
def test_both_paths_say_the_same(name, op, after, before):
    """However a change is made up, the hot path says the same as the general one, or nothing."""
    value = envelope(name)
    value["op"] = op
    value["after"] |= after
    if before is not None:
        value["before"] = {**value["after"], **before}
    check_same(json.dumps(value).encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_left_alone_or_understood(junk):
    """No bytes at all can raise anything, nor be taken for an order that the other refuses."""
    check_same(junk)


def test_a_poisonous_order_is_still_refused_with_its_reason():
    """What the hot path leaves alone, the general one parks."""
    value = envelope("order inserted")
    value["after"]["amount"] = "1e3"
    assert quickly(raw(value)) is None
    with pytest.raises(PoisonMessage):
        translate(ORDERS, *PLACE, raw(value))
