"""One raw record becomes the records that follow from it: pure, and the heart of the relay.

Live changes go to the live lane, rows read by a snapshot to the backfill lane, and whatever says
that something is gone to both, so that no older image survives compaction in either.
"""

from collections.abc import Callable

from msgspec import Struct
from pydantic import ValidationError

from cdc_relay import wire
from cdc_relay.debezium import (
    ClientRow,
    client_change,
    order_change,
    policy_change,
    required,
)
from common.codec import encode
from common.errors import PoisonMessage
from common.events import PolicyPublished
from common.policy import ShopPolicy
from common.topics import (
    BACKFILL,
    CDC_CLIENTS,
    CDC_HEARTBEAT,
    CDC_ORDERS,
    CDC_POLICIES,
    CONTROL,
    LIVE,
)

Place = tuple[str, int, int]
"""Where a raw record stands: topic, partition, offset."""


class Out(Struct, frozen=True, gc=False):
    """A record to write: a client decides the partition; without one it goes to every partition.

    A value of None is a tombstone. ``fact`` is the event's id, once for all copies in both lanes.
    ``traceparent`` is that of a change that was just written: of a row that was read again, or
    deleted, the trace is an old one's.
    """

    topic: str
    client_id: int | None
    key: bytes
    value: bytes | None
    fact: str = ""
    traceparent: str | None = None


def translate(topic: str, partition: int, offset: int, raw: bytes | None) -> list[Out]:
    """Return what follows from one raw record, to be written in one transaction.

    The first three say where it stands. A tombstone only serves the compaction of its own topic:
    nothing follows. Raises PoisonMessage when the record cannot be understood.
    """
    if raw is None:
        return []
    table = TABLES.get(topic)
    if table is None:
        raise PoisonMessage("unknown_topic", "no table is captured under this name")
    return table((topic, partition, offset), raw)


def _client(place: Place, raw: bytes) -> list[Out]:
    change = client_change(raw)
    origin = wire.Origin(*place, change.source.lsn)
    if change.op == "d":
        return _erased(required(change.before, "before"), origin, change.source.ts_ms)
    row = required(change.after, "after")
    fact, value = wire.event(
        "clients",
        row.id,
        wire.ClientChanged(row.id, row.version, origin),
        "client.changed.v1",
        change.source.ts_ms,
    )
    lane, key = _lane(change.op), b"%d/client" % row.id
    return [Out(lane, row.id, key, value, fact, _trace(change.op, row.traceparent))]


def _erased(row: ClientRow, origin: wire.Origin, ts_ms: int) -> list[Out]:
    """A deleted client is an erased one: said for ever, and its last image is taken away."""
    fact, value = wire.event(
        "clients",
        row.id,
        wire.ClientErased(row.id, row.version, origin),
        "client.erased.v1",
        ts_ms,
    )
    erased, image = b"%d/erased" % row.id, b"%d/client" % row.id
    return [
        Out(LIVE.name, row.id, erased, value, fact),
        Out(LIVE.name, row.id, image, None),
        Out(BACKFILL.name, row.id, erased, value),
        Out(BACKFILL.name, row.id, image, None),
    ]


def _order(place: Place, raw: bytes) -> list[Out]:
    """Any change of an order; ``hot`` makes the same of the plain ones, faster."""
    change = order_change(raw)
    source, row, op = change.source, change.after, change.op
    topic, partition, offset = place
    origin = wire.Origin(topic, partition, offset, source.lsn)
    ts_ms = source.ts_ms
    if row is None or op == "d":
        gone = required(change.before, "before")
        removed = wire.OrderRemoved(gone.client_id, gone.id, gone.version, "deleted", origin)
        return _removed(removed, ts_ms)
    client_id, order_id, version = row.client_id, row.id, row.version
    data = wire.OrderChanged(
        client_id,
        order_id,
        version,
        row.ordered_at,
        row.amount,
        row.currency,
        row.status,
        origin,
    )
    fact, value = wire.event("orders", order_id, data, "order.changed.v1", ts_ms)
    lane = BACKFILL.name if op == "r" else LIVE.name
    key = b"%d/order/%d" % (client_id, order_id)
    present = Out(lane, client_id, key, value, fact, _trace(op, row.traceparent))
    before = change.before
    if before is not None and op == "u" and before.client_id != client_id:
        # The order moved: gone there, present here. Both carry the version of the move.
        moved = wire.OrderRemoved(before.client_id, order_id, version, "moved", origin)
        return [*_removed(moved, ts_ms), present]
    return [present]


def _removed(removed: wire.OrderRemoved, ts_ms: int) -> list[Out]:
    order_id, client_id = removed.order_id, removed.client_id
    fact, value = wire.event("orders", order_id, removed, "order.removed.v1", ts_ms)
    key = b"%d/order/%d" % (client_id, order_id)
    return [Out(LIVE.name, client_id, key, value, fact), Out(BACKFILL.name, client_id, key, value)]


def _policy(_place: Place, raw: bytes) -> list[Out]:
    """A policy goes to every partition, where scorers find it before the events it judges."""
    change = policy_change(raw)
    if change.op == "d":
        raise PoisonMessage("policy_deleted", "scores name their policy: none is ever deleted")
    row = required(change.after, "after")
    try:
        policy = ShopPolicy.model_validate_json(row.document)
    except ValidationError as error:
        raise PoisonMessage("invalid_policy", _reason(error)) from None
    if policy.version != row.id:
        raise PoisonMessage("invalid_policy", "the document's version is not the row's id")
    fact = f"policies:{row.id}:{row.version}::policy.published.v1"
    value = encode(
        PolicyPublished(policy=policy.scoring),
        id=fact,
        source=wire.SOURCE,
        subject=f"policy/{row.id}",
        time=wire.moment(change.source.ts_ms),
    )
    return [Out(CONTROL.name, None, b"policy/%d" % row.id, value, fact)]


def _heartbeat(_place: Place, _raw: bytes) -> list[Out]:
    """The heartbeat row only keeps the slot moving."""
    return []


def _lane(op: str) -> str:
    return BACKFILL.name if op == "r" else LIVE.name


def _trace(op: str, traceparent: str | None) -> str | None:
    return None if op == "r" else traceparent


def _reason(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in e['loc']) or 'document'}: {e['type']}"
        for e in error.errors(include_url=False, include_context=False, include_input=False)
    )


TABLES: dict[str, Callable[[Place, bytes], list[Out]]] = {
    CDC_CLIENTS.name: _client,
    CDC_ORDERS.name: _order,
    CDC_POLICIES.name: _policy,
    CDC_HEARTBEAT.name: _heartbeat,
}
"""Every captured table and what follows from its changes."""
