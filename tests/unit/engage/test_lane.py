"""What operators write to the backfill lane is what the relay would write of the same row."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from cdc_relay.translate import translate
from common.codec import decode, encode
from common.events import ClientChanged, ClientErased, OrderChanged, OrderRemoved
from engage.lane import SOURCE, Event, id_of, key_of

WHEN = datetime(2024, 3, 1, 10, tzinfo=UTC)
ORDER = b"""{"op":"r","source":{"ts_ms":1},"before":null,"after":{"id":7,"client_id":42,
"ordered_at":"2024-03-01T10:00:00Z","amount":"12.50","currency":"USD","status":"paid","version":9}}
"""
GONE = b"""{"op":"d","source":{"ts_ms":1},"after":null,"before":{"id":7,"client_id":42,"version":9}}
"""
CLIENT = b'{"op":"r","source":{"ts_ms":1},"before":null,"after":{"id":42,"version":9}}'
ERASED = b'{"op":"d","source":{"ts_ms":1},"before":{"id":42,"version":9},"after":null}'


@pytest.mark.parametrize(
    ("topic", "raw", "event"),
    [
        (
            "cdc.public.orders",
            ORDER,
            OrderChanged(
                client_id=42,
                order_id=7,
                version=9,
                ordered_at=WHEN,
                amount=Decimal("12.50"),
                currency="USD",
                status="paid",
            ),
        ),
        (
            "cdc.public.orders",
            GONE,
            OrderRemoved(client_id=42, order_id=7, version=9, reason="deleted"),
        ),
        ("cdc.public.clients", CLIENT, ClientChanged(client_id=42, version=9)),
        ("cdc.public.clients", ERASED, ClientErased(client_id=42, version=9)),
    ],
)
def test_key_identity_and_data_are_the_relays(topic: str, raw: bytes, event: Event):
    """All copies of one fact bear one id and one key; only the origin differs."""
    theirs = translate(topic, 0, 0, raw)[0]
    assert (key_of(event), id_of(event)) == (theirs.key, theirs.fact)
    wire = encode(event, id=id_of(event), source=SOURCE, subject="42", time=WHEN)
    data = decode(theirs.value).data
    assert decode(wire).data == data.model_copy(update={"origin": None})
