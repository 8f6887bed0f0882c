"""Recovery of a partition's rows: its changelog, read to the end, in large batches.

The end is the last stable offset at the time of asking, and it has been reached when the reader's
position has: the markers of transactions take offsets too, so the last row never does.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from common.cluster import Cluster
from common.errors import Transient
from common.kafka import consumer

ROWS_AT_ONCE = 5_000
WAIT_S = 0.2
ASK_LIMIT_S = 30.0
STILL_LIMIT_S = 60.0
"""How long a changelog may give nothing before its end: then the process ends."""

CONFIG = {
    "enable.partition.eof": True,
    "enable.auto.offset.store": False,
    "queued.min.messages": 50_000,
    "queued.max.messages.kbytes": 64 * 1024,
    "fetch.message.max.bytes": 4 * 1024 * 1024,
}

Thread = Callable[..., Awaitable[Any]]


class Restorable(Protocol):
    """Where the rows are restored."""

    def offset(self, partition: int) -> int | None: ...
    def write(self, partition: int, rows: dict[bytes, bytes | None], offset: int) -> None: ...


async def restore(
    store: Restorable, cluster: Cluster, changelog: str, partition: int, thread: Thread
) -> int:
    """Bring a partition's rows up to the end of its changelog; return how many were read.

    ``thread`` runs blocking work. Raises Transient when the changelog cannot be read to its end.
    """
    reader = await thread(_open, cluster, changelog, store.offset(partition), partition)
    lock = threading.Lock()

    def alone(work: Callable[..., Any], *args: Any) -> Any:
        # Whoever is cancelled leaves a thread inside the client, which must not be closed under it.
        with lock:
            return work(*args)

    async def ask(work: Callable[..., Any], *args: Any) -> Any:
        return await thread(alone, work, *args)

    try:
        return await _read(store, reader, TopicPartition(changelog, partition), ask)
    finally:
        await asyncio.shield(asyncio.ensure_future(ask(reader.close)))


async def _read(store: Restorable, reader: Consumer, place: TopicPartition, thread: Thread) -> int:
    try:
        _, end = await thread(reader.get_watermark_offsets, place, ASK_LIMIT_S)
    except KafkaException as error:
        raise Transient(f"the end of {place.topic} is not known: {error}") from error
    clock = asyncio.get_running_loop().time
    count, moved = 0, clock()
    while True:
        messages = await thread(reader.consume, ROWS_AT_ONCE, WAIT_S)
        rows, last = _rows(messages)
        if rows:
            store.write(place.partition, rows, last)
            count += len(rows)
            moved = clock()
        if _passed(reader, place, messages, end):
            return count
        if clock() - moved > STILL_LIMIT_S:
            raise Transient(f"{place.topic}/{place.partition} cannot be read up to {end}")


def _open(cluster: Cluster, changelog: str, stands: int | None, partition: int) -> Consumer:
    # The group is a name only: nothing is committed, nobody is asked.
    reader = consumer(cluster, f"{changelog}-reader", CONFIG)
    reader.assign([TopicPartition(changelog, partition, 0 if stands is None else stands + 1)])
    return reader


def _rows(messages: list[Message]) -> tuple[dict[bytes, bytes | None], int]:
    """Return the newest value of each key, and the last offset. Raises Transient."""
    rows: dict[bytes, bytes | None] = {}
    last = -1
    for message in messages:
        error = message.error()
        if error is None:
            rows[message.key() or b""] = message.value()
            last = message.offset() or 0
        elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
            raise Transient(f"a changelog could not be read: {error.str()}")
    return rows, last


def _passed(reader: Consumer, place: TopicPartition, messages: list[Message], end: int) -> bool:
    """Whether everything below ``end`` has been handed over."""
    for message in messages:
        if message.error() is not None and (message.offset() or 0) >= end:
            return True
    if end == 0:
        return True
    position: int = reader.position([place])[0].offset
    return position >= end
