"""The events that the relay writes, as fast structs: byte for byte readable by common.codec.

``common.events`` defines them; a test proves that what is written here decodes to the same event.
Only the hot types are here: the rest goes through ``common.codec``.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec
from msgspec import Struct

SOURCE = "cdc-relay"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Origin(Struct, frozen=True, gc=False):
    """Mirror of common.events.Origin."""

    topic: str
    partition: int
    offset: int
    lsn: int | None


class ClientChanged(Struct, frozen=True, gc=False):
    """Mirror of common.events.ClientChanged."""

    client_id: int
    version: int
    origin: Origin


class OrderChanged(Struct, frozen=True, gc=False):
    """Mirror of common.events.OrderChanged; ``amount`` is a decimal string."""

    client_id: int
    order_id: int
    version: int
    ordered_at: datetime
    amount: str
    currency: str
    status: str
    origin: Origin


class OrderRemoved(Struct, frozen=True, gc=False):
    """Mirror of common.events.OrderRemoved."""

    client_id: int
    order_id: int
    version: int
    reason: str
    origin: Origin


class ClientErased(Struct, frozen=True, gc=False):
    """Mirror of common.events.ClientErased."""

    client_id: int
    version: int
    origin: Origin


Data = ClientChanged | OrderChanged | OrderRemoved | ClientErased


class Event(Struct, frozen=True, gc=False):
    """The CloudEvents envelope, in the field order of common.events.Event."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str
    data: Data


@lru_cache(maxsize=4096)  # the rows of one transaction share their moment
def moment(ts_ms: int) -> datetime:
    """Return wall time from milliseconds since 1970, exactly."""
    return EPOCH + timedelta(milliseconds=ts_ms)


encode = msgspec.json.Encoder().encode


def event(table: str, key: int, data: Data, type_: str, ts_ms: int) -> tuple[str, bytes]:
    """Return the id and the bytes of an event about a row.

    Table, key, version, client and type make the event's id, the same for every copy of the same
    fact. ``ts_ms`` is wall time in milliseconds since 1970.
    """
    client = str(data.client_id)
    name = f"{table}:{key}:{data.version}:{client}:{type_}"
    return name, encode(
        Event("1.0", name, SOURCE, type_, client, moment(ts_ms), "application/json", data)
    )
