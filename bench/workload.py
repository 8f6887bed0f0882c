"""The workload, fixed and stated: the orders of many clients in random order, as real bytes.

Ten orders a client by default, spread over a year and a half before ``MOMENT``; each order is one
row, its version the place in the stream. The same seed gives the same bytes.
"""

import random
from array import array
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cdc_relay import wire
from common.partition import partition_of
from common.topics import CDC_ORDERS

MOMENT = datetime(2026, 11, 22, 9, tzinfo=UTC)
"""Where business time stands in every contender, so that all of them judge the same day."""
SPAN_DAYS = 540
SEED = 20261122
ORDERS_A_CLIENT = 10
PARTITIONS = 4
WARM_CLIENTS_FROM = 900_000_001
"""Clients of the warm-up: none of the workload's."""
TS_MS = 1_795_317_715_292


class Shape(NamedTuple):
    """How much there is of it."""

    clients: int
    orders: int = ORDERS_A_CLIENT
    seed: int = SEED
    first_client: int = 1
    first_version: int = 1
    until: datetime = MOMENT
    """No order is later."""
    days: int = SPAN_DAYS
    """No order is earlier than so many days before."""

    @property
    def events(self) -> int:
        """How many events that makes."""
        return self.clients * self.orders


class Order(NamedTuple):
    """One order's row."""

    client_id: int
    order_id: int
    version: int
    ordered_at: datetime
    amount: str


class Written(NamedTuple):
    """A record to be written."""

    partition: int
    key: bytes
    value: bytes


def orders(shape: Shape) -> Iterator[Order]:
    """Return the rows in the order in which they change: clients at random."""
    chance = random.Random(shape.seed)
    places = array("I", range(shape.events))
    chance.shuffle(places)
    first_order = (shape.first_client - 1) * shape.orders + 1
    for number, place in enumerate(places):
        bits = chance.getrandbits(48)
        yield Order(
            client_id=shape.first_client + place // shape.orders,
            order_id=first_order + place,
            version=shape.first_version + number,
            ordered_at=shape.until - timedelta(seconds=(bits & 0xFFFFFFFF) % (shape.days * 86_400)),
            amount=f"{5 + (bits >> 32) % 195}.{bits % 100:02d}",
        )


def event(order: Order, offset: int = 0) -> Written:
    """Return an order as the relay writes it to ``client.events``."""
    _, value = wire.event(
        "orders",
        order.order_id,
        wire.OrderChanged(
            order.client_id,
            order.order_id,
            order.version,
            order.ordered_at,
            order.amount,
            "USD",
            "paid",
            wire.Origin(CDC_ORDERS.name, 0, offset, lsn_of(order)),
        ),
        "order.changed.v1",
        TS_MS,
    )
    key = b"%d/order/%d" % (order.client_id, order.order_id)
    return Written(partition_of(order.client_id, PARTITIONS), key, value)


def events(shape: Shape) -> Iterator[Written]:
    """Return the whole workload as the relay writes it."""
    return (event(order, offset) for offset, order in enumerate(orders(shape)))


def raw(order: Order) -> Written:
    """Return an order's insert as Debezium 3.7 writes it to ``cdc.public.orders``."""
    when = order.ordered_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    lsn = lsn_of(order)
    value = (
        f'{{"before":null,"after":{{"id":{order.order_id},"client_id":{order.client_id},'
        f'"ordered_at":"{when}","amount":"{order.amount}","currency":"USD","status":"paid",'
        f'"version":{order.version}}},"source":{{"version":"3.7.0.Final","connector":"postgresql",'
        f'"name":"cdc","ts_ms":{TS_MS},"snapshot":"false","db":"engage",'
        f'"sequence":"[\\"{lsn - 64}\\",\\"{lsn}\\"]","ts_us":{TS_MS}193,"ts_ns":{TS_MS}193000,'
        f'"schema":"public","table":"orders","txId":{order.version},"lsn":{lsn},"xmin":null,'
        f'"origin":null,"origin_lsn":null}},"transaction":null,"op":"c","ts_ms":{TS_MS + 33},'
        f'"ts_us":{TS_MS + 33}456,"ts_ns":{TS_MS + 33}456521}}'
    )
    return Written(0, b'{"id":%d}' % order.order_id, value.encode())


def raws(shape: Shape) -> Iterator[Written]:
    """Return the whole workload as Debezium writes it."""
    return map(raw, orders(shape))


def lsn_of(order: Order) -> int:
    """Return a place in the log that grows with the version."""
    return 27_000_000 + order.version * 512
