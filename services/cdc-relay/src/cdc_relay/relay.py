"""The loop: read a batch, translate it, write it, commit last; all of it or nothing.

It keeps no state that matters: after a crash or an abort it goes back to the committed offsets.
While a transaction is being committed, in a thread, the next batch is read and translated; nothing
of it is sent before the commit is known to have come through.
"""

import contextlib
import dataclasses
import random
import threading
import time
from collections.abc import Callable, Iterator

from confluent_kafka import TopicPartition

from cdc_relay.draft import Draft
from cdc_relay.flight import Flight
from cdc_relay.metrics import Metrics
from cdc_relay.pace import TokenBucket
from cdc_relay.snapshot import SNAPSHOT_KEY, SnapshotWatch, notification
from cdc_relay.source import IDLE_S, NOTIFICATIONS, Position, Source
from cdc_relay.tally import Duplicates, Tally
from cdc_relay.transactions import Aborted, Broken, Transactions
from common.errors import PoisonMessage, Transient
from common.health import Heartbeat
from common.logs import Logger
from common.partition import PartitionMap

PAUSE_FROM_S = 1.0
"""Waits from here on pause the partitions and go on polling. Pausing throws away what the client
has fetched ahead and costs about a second, so shorter waits do without."""
GLANCE_S = 0.005
"""How long a turn with nothing to read waits for the transaction on its way."""
PIECE = 500
"""Records read and translated at once: more of them do not stay in the processor's cache."""
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
        metrics: Metrics,
        log: Logger,
    ) -> None:
        """Take the adapters. ``ends`` tells where the raw topics end now; it may raise Transient.

        A batch is never more than can be paid for in a moment, so that waits stay short.
        """
        self._source = source
        self._transactions = transactions
        self._ends = ends
        self._partition_of = PartitionMap(partitions)
        self._batch_max = max(1, min(batch_max, int(bucket.burst)))
        self._batch_s = batch_s
        self._bucket = bucket
        self._heartbeat = heartbeat
        self._metrics = metrics
        self._log = log
        self._watch = SnapshotWatch()
        self._flight: Flight | None = None
        self._passed: Position = {}
        self._began = 0.0
        self._duplicates = Duplicates()
        self._tally, self._said = Tally(), Tally()
        self._reported = time.monotonic()

    def run(self, stop: threading.Event) -> None:
        """Turn until ``stop`` is set; what is on its way then is finished or aborted first.

        Raises Fenced or Broken when only a new process can go on.
        """
        failures = 0
        while not stop.is_set():
            self._heartbeat.beat()
            try:
                if failures:
                    self._go_back()
                self._turn(stop)
                if failures:
                    self._settle()
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
        self._finish()
        self._report()

    def _finish(self) -> None:
        """See what is on its way arrive; what does not is read again by the next process."""
        try:
            self._settle()
        except Transient as error:
            self._log.warning("the last batch failed", reason=str(error))

    def _turn(self, stop: threading.Event) -> None:
        """Read one batch and send it on its way, once the one before it has arrived."""
        wait_s = self._bucket.wait_s()
        if wait_s > 0:
            self._settle()
            self._wait(wait_s, stop)
        draft = self._gather()
        self._settle()
        self._transactions.serve(0)
        if draft.read:
            self._send(draft)
        else:
            self._arrive(draft)
        self._source.ask()

    def _gather(self) -> Draft:
        """Read and translate a batch: it may grow for as long as another one is on its way.

        A first record after a pause is taken at once with what is there; otherwise records are
        gathered until ``batch_s`` after the last transaction began.
        """
        draft = Draft(self._partition_of, self._log)
        flight = self._flight
        while draft.read < self._batch_max:
            before = draft.read
            if flight is not None and not flight.over(0):
                self._add(draft, PIECE, 0)
                if draft.read == before:
                    flight.over(GLANCE_S)
                continue
            if before:
                self._add(draft, PIECE, self._began + self._batch_s - time.monotonic())
            elif flight is None:
                self._add(draft, 1, IDLE_S)
            if draft.read == before:
                break
        return draft

    def _add(self, draft: Draft, most: int, seconds: float) -> None:
        """Read up to ``most`` records into the draft, as far as it has room, within ``seconds``."""
        most = min(most, self._batch_max - draft.read)
        holding = draft.read > 0 or self._flight is not None
        draft.add(self._source.read(most, max(0.0, seconds), holding=holding), self._hear)

    def _send(self, draft: Draft) -> None:
        """Write a draft, with its offsets, in one transaction, and let it be committed.

        The offsets go with the membership under which they were read, so that the group refuses
        them should another process have its partitions by then.
        """
        self._began = time.monotonic()
        self._bucket.take(len(draft.records))
        offsets, group = self._offsets(draft.passed), self._source.group()
        self._transactions.begin()
        with self._aborting():
            self._transactions.send(draft.records)

        def commit() -> None:
            with self._aborting():
                self._transactions.commit(offsets, group)

        self._flight = Flight(draft, commit)

    def _settle(self) -> None:
        """Wait for the transaction on its way, and account for what is committed now."""
        flight, self._flight = self._flight, None
        if flight is None:
            return
        draft = flight.land()
        self._count(draft, flight.seconds)
        self._arrive(draft)

    def _count(self, draft: Draft, seconds: float) -> None:
        """Count what is committed now, for the log and for Prometheus: once a batch."""
        for span in draft.spans:
            span.end()
        tally, metrics = self._tally, self._metrics
        parked = draft.parked.total()
        written = len(draft.records) - parked
        duplicates = self._duplicates.count(draft.facts)
        tally.read += draft.read
        tally.written += written
        tally.parked += parked
        tally.transactions += 1
        tally.duplicates += duplicates
        metrics.read.inc(draft.read)
        metrics.written.inc(written)
        metrics.duplicates.inc(duplicates)
        metrics.committed.inc()
        metrics.transaction_seconds.observe(seconds)
        for (topic, reason), number in draft.parked.items():
            metrics.dead_letters.labels(topic, reason).inc(number)
        if draft.oldest_ms is not None:
            tally.behind_ms = max(0, int(time.time() * 1000) - draft.oldest_ms)
            metrics.delay_seconds.observe(tally.behind_ms / 1000)

    def _arrive(self, draft: Draft) -> None:
        """Note how far everything is committed; that may be the end of a snapshot."""
        self._passed |= draft.passed
        for place, end in draft.ends.items():
            self._passed[place] = max(end, self._passed.get(place, 0))
        over = self._watch.passed(self._passed)
        if over is not None:
            self._end_snapshot(over)

    @contextlib.contextmanager
    def _aborting(self) -> Iterator[None]:
        """Abort what fails: nothing of it is ever seen."""
        try:
            yield
        except Transient as error:
            self._tally.aborted += 1
            self._metrics.aborted.inc()
            self._transactions.abort()
            raise Aborted(str(error)) from error

    def _hear(self, offset: int, raw: bytes | None) -> bytes | None:
        """Take note of a notification, once everything before it is committed.

        Returns the state to be told, if any.
        """
        self._settle()
        if raw is None:
            raise PoisonMessage("unknown_shape", "a notification has no value")
        told = notification(raw)
        self._log.info("snapshot notification", kind=told.aggregate_type, state=told.type)
        return self._watch.hear(told, offset, self._ends)

    def _end_snapshot(self, state: bytes) -> None:
        """Say that the snapshot is over, in a transaction after those that passed it on.

        So whoever reads this finds all of its events committed before.
        """
        told = Draft(self._partition_of, self._log)
        told.tell_all(SNAPSHOT_KEY, state)
        told.passed = {at: n for at, n in self._passed.items() if at[0] == NOTIFICATIONS}
        self._send(told)
        self._settle()
        self._log.info("snapshot is over")

    def _offsets(self, passed: Position) -> list[TopicPartition]:
        return [
            TopicPartition(
                topic, partition, self._watch.held_back(n) if topic == NOTIFICATIONS else n
            )
            for (topic, partition), n in passed.items()
        ]

    def _go_back(self) -> None:
        """Forget what was learned since the last commit, and read it again."""
        self._settle()
        self._passed.clear()
        self._watch.forget()
        self._source.go_back()

    def _wait(self, seconds: float, stop: threading.Event) -> None:
        """Wait in small steps that keep the membership alive and notice a stop."""
        if seconds <= 0:
            return
        self._tally.waited_ms += int(seconds * 1000)
        self._metrics.waited.inc(seconds)
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

    def _report(self) -> None:
        """Log the counters, unless they stand as they were last told."""
        self._reported = time.monotonic()
        if self._tally != self._said:
            self._said = dataclasses.replace(self._tally)
            self._log.info("relayed", **dataclasses.asdict(self._tally))
