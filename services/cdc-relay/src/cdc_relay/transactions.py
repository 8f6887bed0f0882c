"""Transactions of Kafka: all records of a batch and its offsets at once, or nothing of it."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from common.errors import Transient
from common.kafka import Headers

Record = tuple[str, bytes | None, str | bytes | None, int, Headers | None]
"""What is to be written: topic, value, key, partition, headers."""

START_TIMEOUT_S = 15.0
STEP_TIMEOUT_S = 10.0
"""For one step of a transaction; the broker aborts a transaction after TRANSACTION_TIMEOUT_MS."""
TRANSACTION_TIMEOUT_MS = 30_000
STEP_ATTEMPTS = 3
FENCED = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001 - the library's public name of its own codes
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.PRODUCER_FENCED,
        KafkaError.FENCED_INSTANCE_ID,
    }
)
LOST = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT})  # noqa: SLF001


class Aborted(Transient):
    """The transaction had to be given up; nothing of it is seen. Go back and do it again."""


class Fenced(Exception):
    """Another process took over this one's name: it must write nothing more."""


class Broken(Exception):
    """The client cannot go on; a new process can."""


class Transactions:
    """Transactions under one name, their errors sorted by what the loop must do.

    Every method may raise Aborted (call ``abort``, go back, do it again), Fenced or Broken.
    """

    def __init__(
        self,
        make: Callable[[Callable[[KafkaError], None]], Producer],
        beat: Callable[[], None],
    ) -> None:
        """Take over the name: abort what a former holder left open, fence it if it still lives.

        ``make`` makes a producer that tells its errors to the callback it is given. ``beat`` is
        called before each step that may last: no step may last longer than the loop's limit.
        """
        self._make = make
        self._beat = beat
        self._doubtful = False
        self._producer = self._open()

    def begin(self) -> None:
        """Open a transaction.

        A producer that has lost its brokers is replaced first. It may never find a coordinator
        that went away and came back, and waits for it without end, whatever the timeout
        (librdkafka, issue 5511). Should a zombie take the name back in this way, the group refuses
        its offsets, and with them its records.
        """
        if self._doubtful:
            self._producer = self._open()
        self._step(self._producer.begin_transaction)

    def send(self, records: Iterable[Record]) -> None:
        """Add records. Whether they arrived shows when the transaction is committed."""
        produce = self._producer.produce
        for record in records:
            topic, value, key, partition, headers = record
            try:
                if headers is None:
                    # Arguments by name cost a third more, and nearly every record takes this way.
                    produce(topic, value, key, partition)
                else:
                    produce(topic, value, key, partition, headers=headers)
            except BufferError:
                self._send_when_room(record)
            except KafkaException as error:
                raise _sorted(self._reason(error)) from error

    def commit(self, offsets: list[TopicPartition], group: Any) -> None:
        """Commit the records and, with them, the offsets from which reading would go on."""
        self._step(
            lambda: self._producer.send_offsets_to_transaction(offsets, group, STEP_TIMEOUT_S)
        )
        self._step(lambda: self._producer.commit_transaction(STEP_TIMEOUT_S))

    def abort(self) -> None:
        """Give up the open transaction."""
        self._step(lambda: self._producer.abort_transaction(STEP_TIMEOUT_S))

    def serve(self, seconds: float) -> None:
        """Let the client report what it has to report, for up to ``seconds``."""
        self._producer.poll(seconds)

    def _send_when_room(self, record: Record) -> None:
        """The client's queue is full: wait until the broker has taken some of it."""
        self._beat()
        topic, value, key, partition, headers = record
        until = time.monotonic() + STEP_TIMEOUT_S
        while time.monotonic() < until:
            self._producer.poll(0.05)
            try:
                self._producer.produce(topic, value, key, partition, headers=headers)
            except BufferError:
                continue
            except KafkaException as error:
                raise _sorted(self._reason(error)) from error
            return
        raise Aborted("the broker takes no records")

    def _reason(self, error: KafkaException) -> KafkaException:
        """Return what ended the client: a produce says only that it has ended, another step why."""
        if error.args[0].code() == KafkaError._FATAL:  # noqa: SLF001 - as above
            try:
                self._producer.begin_transaction()
            except KafkaException as why:
                return why
        return error

    def _open(self) -> Producer:
        self._doubtful = False
        producer = self._make(self._complain)
        self._step(lambda: producer.init_transactions(START_TIMEOUT_S))
        return producer

    def _complain(self, error: KafkaError) -> None:
        if error.code() in LOST:
            self._doubtful = True

    def _step(self, step: Callable[[], object]) -> None:
        """Take one step, again while the client says that it may simply be repeated."""
        for attempt in range(1, STEP_ATTEMPTS + 1):
            self._beat()
            try:
                step()
            except KafkaException as error:
                if error.args[0].retriable() and attempt < STEP_ATTEMPTS:
                    continue
                raise _sorted(error) from error
            return


def _sorted(error: KafkaException) -> Exception:
    """Tell by the client's own flags what an error asks for; without a flag it is the end."""
    what: KafkaError = error.args[0]
    if what.code() in FENCED:
        return Fenced(f"another process took over: {what.str()}")
    if what.txn_requires_abort():
        return Aborted(what.str())
    return Broken(f"{what.name()}: {what.str()}")
