"""Reads both lanes from start to end: the order images merged by version, as the scorer does.

A private reader: it joins no group and commits nothing. Partition by partition, so that memory
holds one partition's ledgers at a time.
"""

import time
from array import array
from collections import defaultdict
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import numpy as np
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from common import kafka
from common.clock import day_of
from common.cluster import Cluster
from common.errors import Misconfigured, PoisonMessage, Transient
from common.score.ledger import Entry, Ledger, entry_of_removal
from common.topics import BACKFILL, LIVE
from common.wire import ClientImage, ErasureImage, OrderImage, RemovalImage, read_lane
from fitting.history import History, history_of_numbers

LIMIT_S = 20.0
SILENCE_LIMIT_S = 30.0
BATCH = 10_000
LANES = (LIVE.name, BACKFILL.name)


def read(cluster: Cluster, zone: ZoneInfo) -> tuple[History, int]:
    """Return the history on the lanes, and how many records nobody can read.

    Raises Misconfigured where broker or topics are missing or hold no orders, Transient where
    reading breaks off.
    """
    reader = kafka.consumer(cluster, "score-fit-look", {"enable.partition.eof": True})
    client, day, cents = array("q"), array("q"), array("q")
    unreadable = 0
    try:
        for partition in range(_partitions(reader, cluster)):
            ledgers: defaultdict[int, Ledger] = defaultdict(Ledger)
            for value in _values(reader, partition):
                try:
                    _merge(ledgers, value, zone)
                except PoisonMessage:
                    unreadable += 1
            for number, ledger in ledgers.items():
                for entry in ledger.orders.values():
                    if entry.counts and not entry.removed:
                        client.append(number)
                        day.append(entry.day)
                        cents.append(entry.cents)
    except KafkaException as error:
        raise Transient(f"the lanes could not be read: {error}") from error
    finally:
        reader.close()
    if not client:
        raise Misconfigured(f"the topics {', '.join(LANES)} hold no order that counts")
    columns = (np.frombuffer(column, np.int64) for column in (client, day, cents))
    return history_of_numbers(*columns), unreadable


def _partitions(reader: Consumer, cluster: Cluster) -> int:
    try:
        known = reader.list_topics(timeout=LIMIT_S).topics
    except KafkaException as error:
        raise Misconfigured(f"no Kafka broker answers at {cluster}: {error}") from None
    for name in LANES:
        if name not in known:
            raise Misconfigured(f"topic {name} does not exist on {cluster}")
    return max(len(known[name].partitions) for name in LANES)


def _values(reader: Consumer, partition: int) -> Iterator[bytes]:
    """Yield the committed values of one partition of both lanes; tombstones are left out."""
    left = set(LANES)
    reader.assign([TopicPartition(name, partition, 0) for name in LANES])
    heard = time.monotonic()
    while left:
        batch = reader.consume(BATCH, 0.2)
        if batch:
            heard = time.monotonic()
        elif time.monotonic() - heard > SILENCE_LIMIT_S:
            raise Transient(f"no record came for {SILENCE_LIMIT_S:.0f} s")
        for message in batch:
            error = message.error()
            if error is None:
                value = message.value()
                if value is not None:
                    yield value
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the library's own name
                left.discard(message.topic() or "")
            else:
                raise KafkaException(error)


def _merge(ledgers: defaultdict[int, Ledger], value: bytes, zone: ZoneInfo) -> None:
    image = read_lane(value)
    ledger = ledgers[image.client_id]
    match image:
        case OrderImage():
            day = day_of(image.ordered_at, zone)
            entry = Entry(
                image.version, removed=False, day=day, cents=image.cents, counts=image.counts
            )
            ledger.merge_order(image.order_id, entry)
        case RemovalImage():
            ledger.merge_order(image.order_id, entry_of_removal(image.version))
        case ClientImage():
            ledger.merge_client(image.version)
        case ErasureImage():
            ledger.erase(image.version)
