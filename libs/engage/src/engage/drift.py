"""Pure: what the lanes amount to, client by client, and how rows in Postgres differ from it."""

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from common.wire import ClientImage, ErasureImage, OrderImage, RemovalImage

Ints = npt.NDArray[np.int64]
Image = OrderImage | RemovalImage | ClientImage | ErasureImage

WIDTH = 3
"""Numbers of one image: client, entity, rank."""
CLIENT, ERASURE = 0, -1
"""What stands for the order where the client itself is meant; order ids begin at 1."""
FOLD_EVERY = 1_000_000


class Seen:
    """The newest image of each order and client of a partition: ids and versions alone.

    A rank is twice the version, and one more for a removal, which wins over an image of the same
    version.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._fresh = array("q")
        self._rows: Ints = np.empty((0, WIDTH), np.int64)
        self.highest = 0
        """The highest version seen."""

    def take(self, image: Image) -> None:
        """Take one image."""
        self.highest = max(self.highest, image.version)
        rank = image.version * 2
        match image:
            case OrderImage():
                row = (image.client_id, image.order_id, rank)
            case RemovalImage():
                row = (image.client_id, image.order_id, rank + 1)
            case ClientImage():
                row = (image.client_id, CLIENT, rank)
            case ErasureImage():
                row = (image.client_id, ERASURE, rank + 1)
        self._fresh.extend(row)
        if len(self._fresh) >= FOLD_EVERY * WIDTH:
            self._fold()

    def clients(self) -> Ints:
        """Return the ids of all clients named, ascending."""
        self._fold()
        return np.unique(self._rows[:, 0])

    def of(self, clients: Ints) -> "Present":
        """Return what is there of these clients, ascending ids; they need not be known."""
        self._fold()
        if not clients.size:
            return Present({}, {})
        begin = np.searchsorted(self._rows[:, 0], clients[0], "left")
        end = np.searchsorted(self._rows[:, 0], clients[-1], "right")
        wanted = self._rows[begin:end]
        wanted = wanted[np.isin(wanted[:, 0], clients)]
        told = wanted.tolist()
        erased = {c: r for c, e, r in told if e == ERASURE}
        return Present(
            {
                client: rank // 2
                for client, entity, rank in told
                if entity == CLIENT and rank > erased.get(client, 0)
            },
            {
                (client, entity): rank // 2
                for client, entity, rank in told
                if entity > CLIENT and rank % 2 == 0 and rank > erased.get(client, 0)
            },
            {(client, entity): rank for client, entity, rank in told},
        )

    def _fold(self) -> None:
        """Keep the newest image of each (client, entity), sorted by them."""
        if not self._fresh:
            return
        fresh = np.frombuffer(self._fresh, np.int64).reshape(-1, WIDTH)
        rows = np.concatenate((self._rows, fresh))
        del fresh  # an array cannot be replaced while its memory is lent
        self._fresh = array("q")
        rows = rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]
        last = np.r_[(rows[1:, :2] != rows[:-1, :2]).any(axis=1), True]
        self._rows = rows[last]


@dataclass(frozen=True)
class Present:
    """Rows that there are, with their versions: clients by id, orders by (client, order)."""

    clients: Mapping[int, int]
    orders: Mapping[tuple[int, int], int]
    ranks: Mapping[tuple[int, int], int] = field(default_factory=dict)
    """Of lanes: the newest rank of each (client, entity), be it an image or a removal."""

    def rank(self, client: int, entity: int) -> int:
        """Return what a row's own rank must reach to count; an erasure binds all of its client."""
        return max(self.ranks.get((client, entity), 0), self.ranks.get((client, ERASURE), 0))


@dataclass
class Drift:
    """Where lanes and Postgres differ."""

    gone_clients: set[int] = field(default_factory=set)
    gone_orders: set[tuple[int, int]] = field(default_factory=set)
    """In the lanes, not in Postgres; a moved order counts for the client that it left."""
    missing_clients: dict[int, int] = field(default_factory=dict)
    missing_orders: dict[tuple[int, int], int] = field(default_factory=dict)
    """In Postgres, and in the lanes not at all or older; with their versions."""
    clients: int = 0
    orders: int = 0
    """What the lanes hold."""
    highest: int = 0
    """The highest version in the lanes."""
    outranked: int = 0
    """Rows of Postgres that lose against the lanes although they are alive: it was restored."""

    def compare(self, lanes: Present, rows: Present, younger_than: int) -> None:
        """Add how some clients' rows differ.

        Rows whose version is above ``younger_than`` are on their way and not missed. The rows must
        have been read after the lanes: then none is older there than a lane says, but for a
        restored database.
        """
        self.clients += len(lanes.clients)
        self.orders += len(lanes.orders)
        self.gone_clients |= lanes.clients.keys() - rows.clients.keys()
        self.gone_orders |= lanes.orders.keys() - rows.orders.keys()
        self.outranked += sum(lanes.rank(c, CLIENT) > 2 * v for c, v in rows.clients.items())
        self.outranked += sum(lanes.rank(c, o) > 2 * v for (c, o), v in rows.orders.items())
        self.missing_clients |= {
            client: version
            for client, version in rows.clients.items()
            if lanes.clients.get(client, 0) < version <= younger_than
        }
        self.missing_orders |= {
            order: version
            for order, version in rows.orders.items()
            if lanes.orders.get(order, 0) < version <= younger_than
        }

    def forget(self, images: Iterable[Image]) -> None:
        """Take back what came or went while the lanes were compared."""
        for image in images:
            match image:
                case OrderImage():
                    pair = (image.client_id, image.order_id)
                    if image.version >= self.missing_orders.get(pair, 2**63):
                        del self.missing_orders[pair]
                case ClientImage():
                    if image.version >= self.missing_clients.get(image.client_id, 2**63):
                        del self.missing_clients[image.client_id]
                case RemovalImage():
                    self.gone_orders.discard((image.client_id, image.order_id))
                case ErasureImage():
                    self.gone_clients.discard(image.client_id)

    @property
    def gone(self) -> int:
        """How many rows the lanes have too many."""
        return len(self.gone_clients) + len(self.gone_orders)

    @property
    def missing(self) -> int:
        """How many rows the lanes lack."""
        return len(self.missing_clients) + len(self.missing_orders)
