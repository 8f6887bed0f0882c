"""Reconcile: the lanes are compared with Postgres as a whole, and brought in line with it.

After a lost slot deletes went unseen: what the lanes know and Postgres no longer has is removed
with a fresh version. What they lack is sent again. Partition by partition: memory holds one.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from confluent_kafka import Message

from common import kafka
from common.errors import PoisonMessage
from common.partition import partition_of
from common.topics import BACKFILL, LIVE
from common.wire import read_lane
from engage.broker import Broker
from engage.drift import Drift, Image, Ints, Present, Seen
from engage.frame import BadInput
from engage.gone import Suspects, remove
from engage.lane import RATE_PER_S, Lane
from engage.postgres import Database, connect
from engage.progress import Watcher
from engage.rows import Shop, chunks
from engage.settings import Settings
from engage.waiting import scorers, until_passed

LANES = (LIVE.name, BACKFILL.name)
SEQUENCE = "SELECT last_value FROM row_version"
CLIENTS = "SELECT id, version FROM clients WHERE id = ANY($1)"
ORDERS = "SELECT client_id, id, version FROM orders WHERE client_id = ANY($1)"


def survey(settings: Settings, watcher: Watcher) -> Drift:
    """Read both lanes and all ids of Postgres; return how they differ. Changes nothing.

    Raises BadInput when the database was restored: then its versions lie behind the lanes', and
    those of old rows still do when new ones have caught up.
    Misconfigured, Transient.
    """
    partitions = settings.topic_partitions
    broker = Broker(settings.kafka)
    kafka.verify(settings.kafka, (LIVE, BACKFILL), partitions)
    drift = Drift()
    with connect(settings.database) as database:
        mark: int = database.value(SEQUENCE)
        there = _by_partition(Shop(database).all_client_ids(), partitions)
        begins, ends = broker.begins(LANES), broker.ends(LANES)
        watcher.step("reading both lanes, in offsets", sum(ends.values()) - sum(begins.values()))
        for partition, clients in enumerate(there):
            part = {place: at for place, at in begins.items() if place[1] == partition}
            seen = Seen()
            for image in images(broker.read(part, ends)):
                seen.take(image)
            watcher.advance(sum(ends[place] - at for place, at in part.items()))
            drift.highest = max(drift.highest, seen.highest)
            everybody = np.union1d(seen.clients(), clients)
            for some in chunks(everybody):
                drift.compare(seen.of(some), _rows(database, some), mark)
        last: int = database.value(SEQUENCE)
    drift.forget(images(broker.read(ends, broker.ends(LANES))))
    if drift.highest > last:
        raise BadInput(
            f"the lanes hold version {drift.highest}, Postgres has given out {last}: it was "
            "restored; say --after-restore, and reconcile again when that has gone through"
        )
    if drift.outranked:
        raise BadInput(
            f"the lanes hold newer versions of {drift.outranked:,} rows than Postgres: it was "
            "restored; say --after-restore, and reconcile again when that has gone through"
        )
    return drift


def mend(
    settings: Settings,
    drift: Drift,
    watcher: Watcher,
    *,
    fix: bool,
    rate_per_s: int = RATE_PER_S,
    wait: bool = True,
) -> dict[str, Any]:
    """Remove from the lanes what is gone and, with ``fix``, send what they lack.

    Each row is looked up in Postgres once more before anything about it is written. Raises
    Misconfigured, Transient, Failed.
    """
    broker = Broker(settings.kafka)
    removed_orders = removed_clients = touched = sent = 0
    with (
        connect(settings.database) as database,
        Lane(broker, settings.topic_partitions, rate_per_s) as lane,
    ):
        if drift.gone:
            watcher.step("removals sent", drift.gone)
        # The orders of a client first: its erasure makes them void for every reader.
        suspects = [Suspects(orders=some) for some in chunks(sorted(drift.gone_orders))]
        suspects += [Suspects(clients=some) for some in chunks(sorted(drift.gone_clients))]
        for one in suspects:
            done = remove(lane, database, one)
            removed_orders += done.orders
            removed_clients += done.clients
            touched += done.touched
            watcher.advance(len(one.orders) + len(one.clients))
        if fix:
            sent = _send_missing(lane, Shop(database), drift, watcher)
    if wait and lane.ends:
        for group in scorers(broker):
            until_passed(broker, group, lane.ends, watcher)
    return {
        "removed_orders": removed_orders,
        "removed_clients": removed_clients,
        "came_back": touched,
        "sent": sent,
        "scored": wait,
    }


def after_restore(settings: Settings, highest: int, watcher: Watcher) -> dict[str, Any]:
    """Give every row a version above all that the lanes hold; capture then tells each anew.

    Raises Misconfigured, Transient.
    """
    with connect(settings.database) as database:
        last: int = database.value("SELECT raise_row_version($1)", highest)
        ids = Shop(database).all_client_ids()
        watcher.step("clients touched, with their orders", len(ids))
        touched = 0
        for some in chunks(ids):
            touched += database.value("SELECT touch_clients($1)", list(some))
            orders = [row["id"] for row in database.rows(ORDERS, list(some))]
            for few in chunks(orders):
                touched += database.value("SELECT touch_orders($1)", list(few))
            watcher.advance(len(some))
    return {"sequence": last, "touched": touched}


def highest_version(settings: Settings, watcher: Watcher) -> int:
    """Return the highest version in the lanes. Raises Misconfigured, Transient."""
    broker = Broker(settings.kafka)
    kafka.verify(settings.kafka, (LIVE, BACKFILL), settings.topic_partitions)
    highest = 0
    watcher.step("records of both lanes read")
    for image in images(broker.read(broker.begins(LANES), broker.ends(LANES))):
        highest = max(highest, image.version)
        watcher.advance()
    return highest


def images(messages: Iterable[Message]) -> Iterator[Image]:
    """Yield what records say; tombstones and what no scorer could read say nothing."""
    for message in messages:
        value = message.value()
        if value is None:
            continue
        try:
            yield read_lane(value)
        except PoisonMessage:  # parked by the scorer, and shown by `engage dlq`
            continue


def _send_missing(lane: Lane, shop: Shop, drift: Drift, watcher: Watcher) -> int:
    watcher.step("rows sent", drift.missing)
    before = lane.written
    for some in chunks(sorted(drift.missing_clients)):
        for client in shop.clients(some).values():
            lane.send(client)
        watcher.advance(len(some))
    for few in chunks(sorted({order for _, order in drift.missing_orders})):
        for order in shop.orders(few).values():
            lane.send(order)
        watcher.advance(len(few))
    return lane.written - before


def _by_partition(ids: list[int], partitions: int) -> list[Ints]:
    found: list[list[int]] = [[] for _ in range(partitions)]
    for one in ids:
        found[partition_of(one, partitions)].append(one)
    return [np.array(some, np.int64) for some in found]


def _rows(database: Database, clients: Ints) -> Present:
    wanted = clients.tolist()
    return Present(
        {row["id"]: row["version"] for row in database.rows(CLIENTS, wanted)},
        {(row["client_id"], row["id"]): row["version"] for row in database.rows(ORDERS, wanted)},
    )
