"""The loop: read a batch, translate it, write it, commit last; all of it or nothing.

It keeps no state that matters: after a crash or an abort it goes back to the committed offsets.
"""

import contextlib
import dataclasses
import random
import threading
import time
from collections.abc import Callable, Iterator

from confluent_kafka import Message, TopicPartition

from cdc_relay.pace import TokenBucket
from cdc_relay.snapshot import SNAPSHOT_KEY, SnapshotWatch, notification
from cdc_relay.source import IDLE_S, NOTIFICATIONS, Position, Source
from cdc_relay.tally import Duplicates, Tally
from cdc_relay.transactions import Aborted, Broken, Headers, Transactions
from cdc_relay.translate import Out, translate
from common.errors import PoisonMessage, Transient
from common.health import Heartbeat
from common.kafka import park
from common.logs import Logger
from common.partition import partition_of
from common.topics import CONTROL

PAUSE_FROM_S = 1.0
"""Waits from here on pause the partitions and go on polling. Pausing throws away what the client
has fetched ahead and costs about a second, so shorter waits do without."""
REPORT_EVERY_S = 10.0
ATTEMPTS = 6
BACKOFF_S = 0.2


class Relay:
    """Copies row changes into domain events until told to stop."""

    def __init__(
        self,
        source: Source,
        transactions: Transactions,
        ends: Callable[[], Position],
        *,
        partitions: int,
        batch_max: int,
        batch_s: float,
        bucket: TokenBucket,
        heartbeat: Heartbeat,
        log: Logger,
    ) -> None:
        """Take the adapters. ``ends`` tells where the raw topics end now; it may raise Transient.

        A batch is never more than can be paid for in a moment, so that waits stay short.
        """
        self._source = source
        self._transactions = transactions
        self._ends = ends
        self._partitions = partitions
        self._batch_max = max(1, min(batch_max, int(bucket.burst)))
        self._batch_s = batch_s
        self._bucket = bucket
        self._heartbeat = heartbeat
        self._log = log
        self._watch = SnapshotWatch()
        self._passed: Position = {}
        self._began = 0.0
        self._duplicates = Duplicates()
        self._tally, self._said = Tally(), Tally()
        self._reported = time.monotonic()

    def run(self, stop: threading.Event) -> None:
        """Turn until ``stop`` is set; a batch in hand is finished or aborted first.

        Raises Fenced or Broken when only a new process can go on.
        """
        failures = 0
        while not stop.is_set():
            self._heartbeat.beat()
            try:
                if failures:
                    self._go_back()
                self._turn(stop)
                failures = 0
            except Transient as error:
                failures += 1
                self._log.warning("a batch failed", reason=str(error), attempt=failures)
                if failures == ATTEMPTS:
                    raise Broken(f"{failures} batches failed in a row: {error}") from error
                # Jitter spreads retries; it guards nothing.
                self._wait(BACKOFF_S * 2**failures * (0.5 + random.random()), stop)  # noqa: S311
            if time.monotonic() - self._reported >= REPORT_EVERY_S:
                self._report()
        self._report()

    def _turn(self, stop: threading.Event) -> None:
        self._wait(self._bucket.wait_s(), stop)
        batch = self._source.read(self._batch_max, self._began + self._batch_s)
        if batch.records:
            self._copy(batch.records)
        for place, end in batch.ends.items():
            self._passed[place] = max(end, self._passed.get(place, 0))
        over = self._watch.passed(self._passed)
        if over is not None:
            self._end_snapshot(over)
        self._source.ask()
        self._transactions.serve(0)

    def _copy(self, records: list[Message]) -> None:
        """Write what follows from the records, with their offsets, in one transaction."""
        self._began = time.monotonic()
        passed: Position = {}
        facts: list[str] = []
        written = parked = 0
        with self._transaction():
            for message in records:
                topic, partition = message.topic() or "", message.partition() or 0
                offset = message.offset() or 0
                try:
                    if topic == NOTIFICATIONS:
                        written += self._hear(offset, message.value())
                    else:
                        outs = translate(topic, partition, offset, message.value())
                        written += self._write(outs, facts)
                except PoisonMessage as error:
                    self._park(error, message)
                    parked += 1
                passed[topic, partition] = offset + 1
            self._commit(passed)
        self._passed |= passed
        self._account(len(records), written, parked, facts)
        self._tally.behind_ms = _age_ms(records[-1])

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """Begin, and abort whatever fails: the committing is done inside, last."""
        self._transactions.begin()
        try:
            yield
        except Transient as error:
            self._tally.aborted += 1
            self._transactions.abort()
            raise Aborted(str(error)) from error

    def _write(self, outs: list[Out], facts: list[str]) -> int:
        """Write records to their partitions; return how many that were."""
        count = 0
        send, partitions = self._transactions.send, self._partitions
        for out in outs:
            client_id = out.client_id
            if client_id is None:
                count += self._tell_all(out.key, out.value)
            else:
                send(out.topic, partition_of(client_id, partitions), out.key, out.value)
                count += 1
            if out.fact:
                facts.append(out.fact)
        return count

    def _tell_all(self, key: bytes, value: bytes | None) -> int:
        for partition in range(self._partitions):
            self._transactions.send(CONTROL.name, partition, key, value)
        return self._partitions

    def _hear(self, offset: int, raw: bytes | None) -> int:
        """Take note of a notification; return how many records were written."""
        if raw is None:
            raise PoisonMessage("unknown_shape", "a notification has no value")
        told = notification(raw)
        self._log.info("snapshot notification", kind=told.aggregate_type, state=told.type)
        state = self._watch.hear(told, offset, self._ends)
        return 0 if state is None else self._tell_all(SNAPSHOT_KEY, state)

    def _end_snapshot(self, state: bytes) -> None:
        """Say that the snapshot is over, in a transaction after those that passed it on.

        So whoever reads this finds all of its events committed before.
        """
        with self._transaction():
            written = self._tell_all(SNAPSHOT_KEY, state)
            self._commit({at: n for at, n in self._passed.items() if at[0] == NOTIFICATIONS})
        self._account(0, written, 0, [])
        self._log.info("snapshot is over")

    def _park(self, error: PoisonMessage, message: Message) -> None:
        """Put a record aside as it came, with its reason, in the same transaction."""
        topic, reasons = park(error, message)
        own = message.headers() or []
        headers: Headers = [*(own.items() if isinstance(own, dict) else own), *reasons]
        self._transactions.send(topic, 0, message.key(), message.value(), headers)
        self._log.warning(
            "record parked",
            reason=error.reason,
            detail=error.detail,
            topic=message.topic(),
            partition=message.partition(),
            offset=message.offset(),
        )

    def _commit(self, passed: Position) -> None:
        offsets = [
            TopicPartition(
                topic, partition, self._watch.held_back(n) if topic == NOTIFICATIONS else n
            )
            for (topic, partition), n in passed.items()
        ]
        self._transactions.commit(offsets, self._source.group())

    def _go_back(self) -> None:
        """Forget what was learned since the last commit, and read it again."""
        self._passed.clear()
        self._watch.forget()
        self._source.go_back()

    def _wait(self, seconds: float, stop: threading.Event) -> None:
        """Wait in small steps that keep the membership alive and notice a stop."""
        if seconds <= 0:
            return
        self._tally.waited_ms += int(seconds * 1000)
        until = time.monotonic() + seconds
        paused = seconds >= PAUSE_FROM_S
        if paused:
            self._source.pause()
        while (rest := until - time.monotonic()) > 0 and not stop.is_set():
            self._heartbeat.beat()
            wait = self._source.idle if paused else self._transactions.serve
            wait(min(rest, IDLE_S))
        if paused:
            self._source.resume()

    def _account(self, read: int, written: int, parked: int, facts: list[str]) -> None:
        """Count what was committed, and pay for it; parked records cost tokens too."""
        self._bucket.take(written + parked)
        self._tally.read += read
        self._tally.written += written
        self._tally.parked += parked
        self._tally.transactions += 1
        self._tally.duplicates += self._duplicates.count(facts)

    def _report(self) -> None:
        """Log the counters, unless they stand as they were last told."""
        self._reported = time.monotonic()
        if self._tally != self._said:
            self._said = dataclasses.replace(self._tally)
            self._log.info("relayed", **dataclasses.asdict(self._tally))


def _age_ms(message: Message) -> int:
    """Return how long ago a record was written to its topic, in milliseconds."""
    return max(0, int(time.time() * 1000) - message.timestamp()[1])
