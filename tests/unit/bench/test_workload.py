"""The workload: the same for everybody, and made of real bytes."""

import json
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.workload import PARTITIONS, Shape, event, events, orders, raw, raws
from cdc_relay.translate import translate
from common.codec import decode
from common.partition import partition_of
from common.topics import CDC_ORDERS, LIVE
from tests.unit.cdc_relay.recorded import raw as recorded_bytes
from tests.unit.cdc_relay.recorded import record_of

SMALL = Shape(clients=40)


def test_a_seed_gives_the_same_bytes_and_another_seed_gives_others():
    """The workload is fixed by its seed."""
    assert list(events(SMALL)) == list(events(SMALL))
    assert list(events(SMALL)) != list(events(SMALL._replace(seed=1)))


@given(
    clients=st.integers(1, 60),
    count=st.integers(1, 12),
    first=st.integers(1, 10**9),
    seed=st.integers(0, 2**32),
)
def test_every_client_has_its_orders_and_versions_follow_the_stream(clients, count, first, seed):
    """No order is there twice, each client has the same number, versions rise by one."""
    shape = Shape(clients, count, seed, first_client=first)
    rows = list(orders(shape))
    assert Counter(row.client_id for row in rows) == dict.fromkeys(
        range(first, first + clients), count
    )
    assert len({row.order_id for row in rows}) == shape.events
    assert [row.version for row in rows] == list(range(1, shape.events + 1))


def test_clients_come_in_random_order():
    """Neighbours in the stream are seldom of the same client."""
    rows = list(orders(Shape(clients=500)))
    same = sum(a.client_id == b.client_id for a, b in pairwise(rows))
    assert same < len(rows) / 50


def test_what_the_relay_makes_of_the_raw_bytes_is_the_event():
    """Raw rows and events are two forms of one workload: the relay turns one into the other."""
    for offset, order in enumerate(orders(SMALL)):
        (out,) = translate(CDC_ORDERS.name, 0, offset, raw(order).value)
        written = event(order, offset)
        assert (out.topic, out.key, out.value) == (LIVE.name, written.key, written.value)
        assert written.partition == partition_of(order.client_id, PARTITIONS)


def test_raw_bytes_have_the_shape_that_debezium_wrote():
    """Every field of a recorded insert is there, in its order, and no other."""
    recorded = json.loads(recorded_bytes(record_of("order inserted")["value"]) or b"")
    made = json.loads(next(raws(SMALL)).value)
    assert list(made) == list(recorded)
    assert list(made["source"]) == list(recorded["source"])
    assert list(made["after"]) == list(recorded["after"])


@pytest.mark.parametrize("days", [1, 540])
def test_no_order_lies_outside_its_span(days):
    """Orders are dated within the days before the end."""
    shape = SMALL._replace(days=days)
    for order in orders(shape):
        assert 0 <= (shape.until - order.ordered_at).total_seconds() < days * 86_400
        assert decode(event(order).value).data.ordered_at == order.ordered_at
