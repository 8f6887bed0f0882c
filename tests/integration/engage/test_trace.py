"""Orders are traced back to their images on real lanes, whatever compaction left of them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from confluent_kafka import Producer

from common.cluster import Cluster
from common.codec import encode
from common.errors import Misconfigured, Transient
from common.events import ClientChanged, Data, OrderChanged, OrderRemoved, Origin
from common.partition import partition_of
from common.topics import BACKFILL, LIVE
from engage.trace import Place, trace
from tests.servers import PARTITIONS

LIMIT_S = 60.0
CLIENT = 42
PLACE = partition_of(CLIENT, PARTITIONS)
WHEN = datetime(2026, 1, 2, 3, tzinfo=UTC)


def origin(offset: int) -> Origin:
    """A row change that an event may name."""
    return Origin(topic="cdc.public.orders", partition=0, offset=offset, lsn=1_000 + offset)


def changed(order: int, version: int, source: Origin | None = None, client: int = CLIENT) -> Data:
    """An order's image."""
    return OrderChanged(
        client_id=client,
        order_id=order,
        version=version,
        ordered_at=WHEN,
        amount=Decimal(f"{version}.50"),
        currency="USD",
        status="paid",
        origin=source,
    )


def removed(order: int, version: int) -> Data:
    """An order's removal."""
    return OrderRemoved(
        client_id=CLIENT, order_id=order, version=version, reason="deleted", origin=origin(9)
    )


@pytest.fixture(scope="module")
def lanes(kafka: str) -> Cluster:
    """Both lanes with images of some orders: where they are."""
    producer = Producer({"bootstrap.servers": kafka})

    def put(topic: str, key: str, value: bytes | None) -> None:
        client = int(key.partition("/")[0])
        producer.produce(topic, value, key, partition_of(client, PARTITIONS))

    def event(topic: str, data: Data, order: int) -> None:
        client = data.model_dump()["client_id"]
        value = encode(data, id="x", source="test", subject=str(client), time=WHEN)
        put(topic, f"{client}/order/{order}", value)

    live, backfill = LIVE.name, BACKFILL.name
    event(backfill, changed(1, 10), 1)  # sent again by hand: it names no row change
    event(live, changed(1, 10, origin(1)), 1)
    event(live, changed(2, 20, origin(2)), 2)
    event(live, changed(2, 25, origin(3)), 2)
    event(live, changed(3, 35, origin(4)), 3)  # compaction has taken version 30
    event(backfill, changed(4, 40, origin(5)), 4)
    event(live, removed(4, 40), 4)
    event(live, removed(5, 55), 5)
    put(live, f"{CLIENT}/order/6", None)
    put(live, f"{CLIENT}/order/6", b"no event")
    event(live, changed(7, 70, origin(6), client=CLIENT + PARTITIONS * 1000), 7)
    value = encode(
        ClientChanged(client_id=CLIENT, version=99), id="x", source="t", subject="42", time=WHEN
    )
    put(live, f"{CLIENT}/client", value)
    assert producer.flush(30) == 0
    return Cluster(kafka)


def test_images_are_found_by_order_and_version(lanes: Cluster) -> None:
    """The image asked for, where it stands and which row change it was; newer ones beside it."""
    versions = {1: 10, 2: 20, 3: 30, 4: 40, 5: 50, 6: 60, 7: 70}
    found = trace(lanes, PARTITIONS, CLIENT, versions, LIMIT_S)
    assert found.keys() == versions.keys()
    image = found[1].image
    assert image is not None
    assert image.place == Place(LIVE.name, PLACE, 0)
    assert image.origin == origin(1)
    assert image.content is not None
    assert (image.content.amount, image.content.ordered_at) == (Decimal("10.50"), WHEN)
    for order, version, newest in ((2, 20, 25), (3, None, 35), (4, 40, 40), (5, None, 55)):
        told = found[order]
        assert (told.image.version if told.image else None) == version
        assert told.newest is not None
        assert told.newest.version == newest
    # A removal carries the version of the image that it deletes, and is the newer of the two.
    assert [told.newest.content is None for o, told in found.items() if told.newest] == [
        o in {4, 5} for o in (1, 2, 3, 4, 5)
    ]
    for order in (6, 7):
        assert found[order] == (None, None)


def test_nothing_asked_is_nothing_read() -> None:
    """Without orders not even a broker is needed."""
    assert trace(Cluster("127.0.0.1:1"), PARTITIONS, CLIENT, {}, LIMIT_S) == {}


def test_reading_is_bounded_in_time(lanes: Cluster) -> None:
    """What cannot be read within the time given is Transient; no broker at all is Misconfigured."""
    with pytest.raises(Transient, match="within the time"):
        trace(lanes, PARTITIONS, CLIENT, {1: 10}, 0.0)
    with pytest.raises(Misconfigured):
        trace(Cluster("127.0.0.1:1"), PARTITIONS, CLIENT, {1: 10}, LIMIT_S)
