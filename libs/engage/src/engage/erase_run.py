"""One run that finishes erasures that the lanes tell of: it removes, waits and verifies."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.topics import CDC_CLIENTS, CDC_ORDERS, changelog_of
from engage import erase_letters
from engage.broker import Broker
from engage.erase_lane import Everywhere
from engage.erase_owners import client_of, order_of
from engage.erase_topics import LANES, TOLD, Newest, Place, superseded
from engage.frame import Failed
from engage.gone import Suspects, remove
from engage.lag import RELAY
from engage.postgres import Database
from engage.progress import Watcher
from engage.rebuild_generation import current
from engage.rows import Shop, chunks
from engage.settings import Settings
from engage.waiting import scorers, until_passed

LEFT_LIMIT_S = 120.0
POLL_S = 0.5
COMPACTED_DAYS = 14
"""Within so many days the brokers have compacted what lies before (max.compaction.lag)."""
OWNERS = "SELECT id, client_id FROM orders WHERE id = ANY($1)"
LEFT = "SELECT place, number FROM erasure_left($1, $2)"


@dataclass(frozen=True)
class Erasure:
    """A client who was erased; what carries a version up to ``upto`` must not be found again."""

    client: int
    upto: int
    captured: bool
    """Whether the capture must tell of it: there is an entry in the audit."""


class Run:
    """One run for some clients, of whom the lanes know that they are erased."""

    def __init__(
        self,
        settings: Settings,
        broker: Broker,
        database: Database,
        erasures: Sequence[Erasure],
        watcher: Watcher,
    ) -> None:
        self._settings = settings
        self._broker, self._database = broker, database
        self._erasures, self._watcher = erasures, watcher
        self._clients = [erasure.client for erasure in erasures]
        self._upto = {erasure.client: erasure.upto for erasure in erasures}
        self._lanes = Newest(broker, LANES, self._clients)
        self.left: dict[int, str] = {}
        """Of whom something is left after ``finish``, and what."""

    def finish(self, *, unreadable: bool) -> dict[str, Any]:
        """Do all of it, in the order in which copies flow; look into ``left`` afterwards."""
        broker, watcher = self._broker, self._watcher
        until_passed(broker, RELAY, broker.ends([CDC_CLIENTS.name, CDC_ORDERS.name]), watcher)
        self._lanes.follow()
        removed = self._remove_strays()
        raw = self._bury_raw()
        for group in scorers(broker):
            until_passed(broker, group, broker.ends(LANES), watcher)
        letters = erase_letters.remove_all(
            broker, self._clients, self._owners(), unreadable=unreadable
        )
        buried, told = self._bury()
        left = self._until_left_nowhere()
        self._lanes.follow()
        self._must_be_clear(self._lanes)
        places = {
            "postgres": dict.fromkeys(left, 0),
            **{
                topic: {"bearing": 0, "older": older}
                for topic, older in (*self._lanes.older.items(), *told.older.items())
            },
            "removals sent": removed,
            "tombstones sent": buried,
            "tombstones of rows sent": raw,
        }
        return {
            "places": places,
            "letters": [_said(removal) for removal in letters],
            "older_records_are_compacted_within_days": COMPACTED_DAYS,
        }

    def _remove_strays(self) -> int:
        """Overwrite on both lanes what the capture never told to be gone; return how many keys."""
        strays = self._lanes.bearing(self._upto)
        # One lane may lack what the other one says, as after a reconcile.
        orders, clients, others = set(), set(), []
        for place in strays:
            client, order = client_of(place.key) or 0, order_of(place.key)
            if order is not None:
                orders.add((client, order))
            elif place.key in (b"%d/client" % client, b"%d/erased" % client):
                clients.add(client)
            else:
                others.append(place)
        for client in self._clients:
            said = [self._lanes.of.get(Place(lane, b"%d/erased" % client)) for lane in LANES]
            if any(said) and not all(said):
                clients.add(client)
        if not (orders or clients or others):
            return 0
        with Everywhere(self._broker, self._settings.topic_partitions) as lane:
            for some in chunks(sorted(orders)):
                remove(lane, self._database, Suspects(orders=some))
            remove(lane, self._database, Suspects(clients=sorted(clients)))
            for place in others:
                lane.bury(place, self._settings.topic_partitions)
        self._lanes.follow()
        return len(orders) + len(clients) + len(others)

    def _bury_raw(self) -> int:
        """Overwrite the rows that the lanes name on the topics that the capture writes."""
        orders, clients = set(), set()
        for place in self._lanes.of:
            client, order = client_of(place.key), order_of(place.key)
            if client is not None:
                clients.add(client)
                if order is not None:
                    orders.add((client, order))
        if not clients:
            return 0
        with Everywhere(self._broker, self._settings.topic_partitions) as lane:
            return lane.bury_rows(self._database, Suspects(sorted(orders), sorted(clients)))

    def _owners(self) -> dict[int, frozenset[int]]:
        """Return whose the orders are, and were, that the clients ever had: the lanes know."""
        owners: dict[int, frozenset[int]] = {}
        for place in self._lanes.of:
            order = order_of(place.key)
            if order is not None:
                client = client_of(place.key) or 0
                owners[order] = owners.get(order, frozenset()) | {client}
        for some in chunks(sorted(owners)):
            for row in self._database.rows(OWNERS, some):
                owners[row["id"]] |= {row["client_id"]}
        return owners

    def _bury(self) -> tuple[int, Newest]:
        """Put tombstones where nobody writes any more; return how many, and what is told."""
        broker, partitions = self._broker, self._settings.topic_partitions
        idle = superseded(broker)
        told = Newest(broker, (*TOLD, *idle), self._clients)
        told.follow()
        found = told.bearing(self._upto)
        if found:
            with Everywhere(broker, partitions) as lane:
                for place in found:
                    lane.bury(place, broker.partitions(place.topic))
            told.follow()
        self._must_be_clear(told)
        self._check_segments()
        return len(found), told

    def _check_segments(self) -> None:
        """Make sure that the scorer's own table holds no part of a ledger of who is gone."""
        name = changelog_of(current(self._broker)).name
        gone = set(self._clients) - Shop(self._database).clients(self._clients).keys()
        if name not in self._broker.topics or not gone:
            return
        rows = Newest(self._broker, (name,), sorted(gone))
        rows.follow()
        for place, value in rows.of.items():
            if value and b"/" in place.key:
                self._note(client_of(place.key), f"{name} still holds parts of the ledger")

    def _until_left_nowhere(self) -> list[str]:
        """Wait until Postgres holds nothing any more; return its places.

        Who is left over keeps nobody else waiting: after the limit each is looked at once.
        """
        self._watcher.step("clients left nowhere in Postgres", len(self._clients))
        until = time.monotonic() + LEFT_LIMIT_S
        places: list[str] = []
        for erasure in self._erasures:
            while True:
                found: Mapping[str, int] = {
                    row["place"]: row["number"]
                    for row in self._database.rows(LEFT, erasure.client, erasure.upto)
                }
                places = list(found)
                left = {place: number for place, number in found.items() if number}
                if not left:
                    break
                if time.monotonic() > until:
                    told = ", ".join(f"{place} {number}" for place, number in left.items())
                    self._note(erasure.client, f"Postgres still holds: {told}")
                    break
                self._watcher.advance(0)
                time.sleep(POLL_S)
            self._watcher.advance()
        return places

    def _must_be_clear(self, newest: Newest) -> None:
        for place in newest.bearing(self._upto):
            self._note(client_of(place.key), f"{place.topic} still bears something")

    def _note(self, client: int | None, what: str) -> None:
        """Note once what is left of a client."""
        if client is None:
            raise Failed(what)
        known = self.left.get(client)
        if known is None:
            self.left[client] = what
        elif what not in known:
            self.left[client] = f"{known}, {what}"


def _said(removal: erase_letters.Removal) -> dict[str, Any]:
    return {
        "topic": removal.topic,
        "removed": sum(removal.removed.values()),
        "kept": removal.moved,
        "reduced": removal.reduced,
        "unreadable": len(removal.unreadable),
        "unreadable_offsets": removal.unreadable[:100],
    }
