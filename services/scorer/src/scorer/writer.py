"""Adapter: the transactions of one partition: outputs and rows together, and no zombie.

The ``transactional.id`` belongs to the consumer group (which names the generation) and the
partition: whoever takes a partition over takes over this name before it reads the changelog. Kafka
then aborts what the former holder left open, and refuses whatever it writes later, should it be a
zombie that only slept.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from common.cluster import Cluster
from common.errors import Transient
from common.kafka import producer
from common.topics import RECORD_BYTES_MAX

STEP_LIMIT_S = 30.0
PAUSE_S = 0.1
"""Between two attempts: an error may come back at once."""
TRANSACTION_TIMEOUT_MS = 40_000
"""About as long as a broker takes to come back. What a killed worker left open holds readers back
no longer than that, and only until its partition is taken over."""
REQUEST_BYTES_MAX = RECORD_BYTES_MAX - 4096
"""The broker's limit is for a batch with its header."""

FENCED = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001 - the library's public name of its own codes
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_ID_MAPPING,
    }
)

CONFIG: Mapping[str, Any] = {
    "message.max.bytes": REQUEST_BYTES_MAX,
    "queue.buffering.max.messages": 500_000,
    # A new transaction may meet the end of the one before it: try again soon.
    "retry.backoff.ms": 5,
    "retry.backoff.max.ms": 200,
}

Rows = Mapping[bytes, bytes | None]
"""What is to be stored, by key; None deletes."""


class Letter(NamedTuple):
    """One record to be sent; without a value it is a tombstone."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Fenced(Exception):
    """Another worker took over a partition of this one, which must write nothing more."""


class Writer:
    """The producer of one partition. Its methods block: they are called in a thread."""

    def __init__(self, cluster: Cluster, name: str, partition: int, changelog: str) -> None:
        """Take over ``name``: abort what a former holder left open, fence it if it still lives.

        Rows go to ``changelog``. Raises Transient when the broker does not answer in time.
        """
        self._name = name
        self._partition = partition
        self._changelog = changelog
        self._producer = producer(
            cluster,
            {
                **CONFIG,
                "transactional.id": name,
                "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
            },
        )
        self._offset = -1
        try:
            repeated(self._producer.init_transactions)
        except KafkaException as error:
            raise sorted_out(error, name) from error

    def settle(self, letters: Iterable[Letter], rows: Rows) -> int:
        """Write all letters and rows in one transaction; return the offset of the last row.

        Returns -1 when there is no row. Raises Fenced, or Transient when nothing was written.
        """
        self._offset = -1
        try:
            self._producer.begin_transaction()
            for letter in letters:
                send(self._producer, letter)
            self._send_rows(rows)
            self._commit()
        except KafkaException as error:
            found = sorted_out(error, self._name)
            if not isinstance(found, Fenced) and error.args[0].txn_requires_abort():
                self._abort()
            raise found from error
        if rows and self._offset < 0:
            raise Transient(f"{self._name}: the offset of a committed row was not told")
        return self._offset

    def close(self) -> None:
        """Let go of the name; an open transaction is left to be aborted by the next holder."""
        with contextlib.suppress(KafkaException):
            self._producer.purge()
        self._producer.close()

    def _send_rows(self, rows: Rows) -> None:
        produce, changelog, partition = self._producer.produce, self._changelog, self._partition
        left = len(rows)
        for key, value in rows.items():
            left -= 1
            # Rows of a partition get their offsets in order: the last one tells for all.
            told = None if left else self._written
            try:
                produce(changelog, value, key, partition, told)
            except BufferError:
                send(self._producer, Letter(changelog, partition, key, value), told)

    def _commit(self) -> None:
        repeated(self._producer.commit_transaction)

    def _abort(self) -> None:
        try:
            self._producer.abort_transaction(STEP_LIMIT_S)
        except KafkaException as error:
            raise sorted_out(error, self._name) from error

    def _written(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._offset = message.offset() or 0


def send(to: Producer, letter: Letter, told: Any = None) -> None:
    """Hand a record to a client; while its queue is full the broker must take some of it first.

    Raises Transient when it does not, KafkaException when the record cannot be sent.
    """
    until = time.monotonic() + STEP_LIMIT_S
    topic, partition, key, value, headers = letter
    while True:
        try:
            to.produce(topic, value, key, partition, told, headers=list(headers) or None)
        except BufferError:
            to.poll(0.05)
            if time.monotonic() > until:
                raise Transient("the broker takes no records") from None
        else:
            return


def sorted_out(error: KafkaException, name: str) -> Exception:
    """Tell by the client's own flags what an error means."""
    what: KafkaError = error.args[0]
    if what.code() in FENCED:
        return Fenced(f"fenced: another worker took over {name}: {what.str()}")
    return Transient(f"{name}: a record could not be delivered: {what.name()}: {what.str()}")


def repeated(step: Callable[[float], object], limit_s: float = STEP_LIMIT_S) -> None:
    """Take a step, again while the client says that it may simply be repeated.

    ``step`` is told how many seconds are left, so that all attempts together stay within
    ``limit_s``: below the transaction's timeout, and below what waits for this thread.
    """
    until = time.monotonic() + limit_s
    left_s = limit_s
    while True:
        try:
            step(left_s)
        except KafkaException as error:
            left_s = until - time.monotonic() - PAUSE_S
            if not error.args[0].retriable() or left_s <= 0:
                raise
            time.sleep(PAUSE_S)
        else:
            return
