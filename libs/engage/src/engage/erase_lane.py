"""Removals to everywhere: both lanes, and the raw topic, for what the capture never told.

The live lane is the relay's; but what lies last there of a row that is gone is lifted by nobody
else. It is safe by the protocol of ``gone``: whatever comes back meanwhile is told anew behind it.
"""

from collections.abc import Mapping

from common.events import ClientErased, OrderRemoved
from common.partition import partition_of
from common.topics import BACKFILL, CDC_CLIENTS, CDC_ORDERS, LIVE
from engage.erase_owners import client_of
from engage.erase_topics import Place
from engage.gone import Suspects, confirmed, mend, wait_for_writers
from engage.lane import Event, Lane
from engage.postgres import Database
from engage.rows import Shop, chunks


class Everywhere(Lane):
    """Writes removals to both lanes, and tombstones of rows that are gone to their raw topic."""

    topics = (LIVE.name, BACKFILL.name)

    def send(self, event: Event, headers: Mapping[str, str] | None = None) -> None:
        """Write one removal; raises Transient."""
        super().send(event, headers)
        match event:
            case OrderRemoved(reason="deleted"):
                self._bury_row(CDC_ORDERS.name, event.order_id)
            case ClientErased():
                self._bury_row(CDC_CLIENTS.name, event.client_id)

    def bury(self, place: Place, partitions: int) -> None:
        """Write a tombstone over what nothing else replaces; raises Transient."""
        self.put(place.topic, partition_of(client_of(place.key) or 0, partitions), place.key, None)

    def bury_rows(self, database: Database, rows: Suspects) -> int:
        """Write raw tombstones of those rows that are nowhere in Postgres; return how many.

        The lanes may already say that they are gone while the raw topic does not: when the capture
        missed it and somebody else told the lanes. Errors and protocol: see ``gone.remove``.
        """
        buried = 0
        for orders in chunks(rows.orders):
            buried += self._bury_gone(database, Suspects(orders=orders))
        for clients in chunks(rows.clients):
            buried += self._bury_gone(database, Suspects(clients=clients))
        return buried

    def _bury_gone(self, database: Database, suspects: Suspects) -> int:
        wait_for_writers(database)
        gone = confirmed(database, suspects)
        # An order that moved is gone for this client alone: its raw record is another's.
        elsewhere = Shop(database).orders([order for _, order in gone.orders])
        orders = [(client, order) for client, order in gone.orders if order not in elsewhere]
        for _, order in orders:
            self._bury_row(CDC_ORDERS.name, order)
        for client in gone.clients:
            self._bury_row(CDC_CLIENTS.name, client)
        self.flush()
        mend(database, Suspects(orders, gone.clients))
        return len(orders) + len(gone.clients)

    def _bury_row(self, topic: str, row: int) -> None:
        self.put(topic, 0, b'{"id":%d}' % row, None)
