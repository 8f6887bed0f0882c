"""The one hot path: an order that was inserted, changed or read, from raw bytes to what is written.

Nearly every record of a busy shop comes through here, so it is one function without a step to
spare. Whatever is out of the ordinary it leaves to ``translate``, which knows everything; a test
holds that both say the same of what they both know.
"""

from cdc_relay import wire
from cdc_relay.debezium import (
    AMOUNTS,
    CURRENCIES,
    UNAVAILABLE,
    UNREADABLE,
    read_order,
)
from cdc_relay.transactions import Record
from common.partition import PartitionMap
from common.topics import BACKFILL, CDC_ORDERS, LIVE

ORDERS = CDC_ORDERS.name
_LANES = {"c": LIVE.name, "u": LIVE.name, "r": BACKFILL.name}
_TYPE = "order.changed.v1"
_encode, _moment = wire.encode, wire.moment
_Event, _OrderChanged, _Origin = wire.Event, wire.OrderChanged, wire.Origin


def plain_order(
    partition: int, offset: int, raw: bytes | None, partition_of: PartitionMap
) -> tuple[Record, str] | None:
    """Return the record that follows from a change of ``orders``, and its event's id.

    None when it takes more than that: a removal, a move, a tombstone, what goes on with a trace, or
    what must be parked.
    """
    if raw is None:
        return None
    try:
        change = read_order(raw)
    except UNREADABLE:
        return None
    row, op, before = change.after, change.op, change.before
    lane = _LANES.get(op)
    if row is None or lane is None or (row.traceparent is not None and lane == LIVE.name):
        return None
    client_id, order_id, version = row.client_id, row.id, row.version
    if op == "u" and (before is None or before.client_id != client_id or before.id != order_id):
        return None
    if not AMOUNTS[row.amount] or not CURRENCIES[row.currency] or row.status == UNAVAILABLE:
        return None
    source, client = change.source, str(client_id)
    fact = f"orders:{order_id}:{version}:{client}:{_TYPE}"
    value = _encode(
        _Event(
            "1.0",
            fact,
            wire.SOURCE,
            _TYPE,
            client,
            _moment(source.ts_ms),
            "application/json",
            _OrderChanged(
                client_id,
                order_id,
                version,
                row.ordered_at,
                row.amount,
                row.currency,
                row.status,
                _Origin(ORDERS, partition, offset, source.lsn),
            ),
        )
    )
    return (lane, value, f"{client}/order/{order_id}", partition_of[client_id], None), fact
