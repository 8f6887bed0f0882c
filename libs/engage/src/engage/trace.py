"""Traces a client's orders back: on which lane each image stands, and which row change it was.

Both lanes are read by a private reader, from the client's own partition alone. Topics are
compacted, so an image may have been replaced by a newer one; that is told, and is no failure.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from confluent_kafka import Message

from common.cluster import Cluster
from common.codec import decode
from common.errors import PoisonMessage
from common.events import OrderChanged, OrderRemoved, Origin
from common.partition import partition_of
from common.topics import BACKFILL, LIVE
from engage.broker import Broker

LANES = (LIVE.name, BACKFILL.name)


class Place(NamedTuple):
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


class Content(NamedTuple):
    """What an order's image says of it."""

    ordered_at: datetime
    amount: Decimal
    currency: str
    status: str


class Image(NamedTuple):
    """One image of an order on a lane."""

    version: int
    content: Content | None
    """None: the order's removal."""
    place: Place
    origin: Origin | None
    """The row change behind it; None where an operator had the row sent again."""


class Trace(NamedTuple):
    """What the lanes have of one order."""

    image: Image | None = None
    """The image of the version asked for, if it is still there."""
    newest: Image | None = None
    """The newest image of all."""


def trace(
    cluster: Cluster, partitions: int, client_id: int, versions: Mapping[int, int], limit_s: float
) -> dict[int, Trace]:
    """Find images of a client's orders on both lanes, by order id; ``versions`` are those wanted.

    Memory holds two images of each order. Raises Misconfigured where broker or topics are missing,
    Transient when reading breaks off or takes longer than ``limit_s`` seconds.
    """
    found = {order_id: Trace() for order_id in versions}
    if not found:
        return found
    keys = {b"%d/order/%d" % (client_id, order_id): order_id for order_id in versions}
    partition = partition_of(client_id, partitions)
    broker = Broker(cluster)
    places = [(lane, partition) for lane in LANES]
    begins, ends = broker.begins(LANES), broker.ends(LANES)
    starts = {place: begins[place] for place in places}
    for message in broker.read(starts, {place: ends[place] for place in places}, limit_s=limit_s):
        order_id = keys.get(message.key() or b"")
        image = None if order_id is None else image_in(message)
        if order_id is not None and image is not None:
            found[order_id] = _with(found[order_id], image, versions[order_id])
    return found


def image_in(message: Message) -> Image | None:
    """Read an order's image; None for a tombstone, and for what no scorer could read either."""
    value = message.value()
    if value is None:
        return None
    try:
        data = decode(value).data
    except PoisonMessage:
        return None
    place = Place(message.topic() or "", message.partition() or 0, message.offset() or 0)
    match data:
        case OrderChanged():
            content = Content(data.ordered_at, data.amount, data.currency, data.status)
            return Image(data.version, content, place, data.origin)
        case OrderRemoved():
            return Image(data.version, None, place, data.origin)
    return None


def _with(known: Trace, image: Image, wanted: int) -> Trace:
    """Take one more image: of equal ones the one that names its row change is kept."""
    if image.version == wanted and image.content is not None:
        known = known._replace(image=_better(known.image, image))
    if known.newest is None or _rank(image) >= _rank(known.newest):
        same = known.newest is not None and _rank(image) == _rank(known.newest)
        known = known._replace(newest=_better(known.newest if same else None, image))
    return known


def _better(known: Image | None, image: Image) -> Image:
    return image if known is None or (known.origin is None and image.origin) else known


def _rank(image: Image) -> tuple[int, bool]:
    """A removal carries the version of the image that it deletes, and wins the tie."""
    return image.version, image.content is None
