"""What a scorer tells Prometheus; counted by batch, once it is durable."""

import time
from collections.abc import Callable
from math import nan

from prometheus_client import Counter, Gauge, Histogram

from common.metrics import LATE_S, QUICK_S, dead_letters, new_registry
from scorer.sheet import Sheet


class Metrics:
    """The scorer's metrics; docs/metrics.md has them all."""

    def __init__(self) -> None:
        """Declare them in a registry of their own."""
        registry = self.registry = new_registry()
        self.records = Counter(
            "engage_scorer_records",
            "Records worked into the state, by topic.",
            ["topic"],
            registry=registry,
        )
        self.told = Counter(
            "engage_scorer_told",
            "What was told of clients: scored, opened, closed, forgotten.",
            ["kind"],
            registry=registry,
        )
        self.rows = Counter(
            "engage_scorer_rows_written", "Rows written to the changelog.", registry=registry
        )
        self.dead_letters = dead_letters(registry)
        self.settle_seconds = Histogram(
            "engage_scorer_settle_seconds",
            "How long a batch took from being assessed to being durable.",
            buckets=QUICK_S,
            registry=registry,
        )
        self.delay_seconds = Histogram(
            "engage_scorer_delay_seconds",
            "How old a batch's oldest record of the lanes was when the batch was durable.",
            buckets=LATE_S,
            registry=registry,
        )
        self.restored_rows = Counter(
            "engage_scorer_restored_rows",
            "Rows read from changelogs when partitions were taken.",
            registry=registry,
        )
        self.restore_seconds = Counter(
            "engage_scorer_restore_seconds",
            "Time spent on reading rows when partitions were taken.",
            registry=registry,
        )
        self.partitions = Gauge(
            "engage_scorer_partitions", "Partitions that this worker works on.", registry=registry
        )
        self.silent_partitions = Gauge(
            "engage_scorer_silent_partitions",
            "Partitions of this worker in which another generation speaks.",
            registry=registry,
        )
        self.tick_wait_seconds = Gauge(
            "engage_scorer_tick_wait_seconds",
            "How long the tick that waits longest has waited for the lanes; snapshots apart.",
            registry=registry,
        )
        self.lag_records = Gauge(
            "engage_scorer_lag_records",
            "Offsets between what this worker has fetched and the ends of what it reads now.",
            registry=registry,
        )
        self.in_flight = Gauge(
            "engage_scorer_in_flight_records",
            "Records fetched and not yet durable.",
            registry=registry,
        )

    def settled(self, sheet: Sheet, seconds: float) -> None:
        """Count what is durable now; ``seconds`` is how long it took."""
        for topic, number in sheet.records.items():
            self.records.labels(topic).inc(number)
        for kind, number in sheet.told.items():
            self.told.labels(kind).inc(number)
        for (topic, reason), number in sheet.parked.items():
            self.dead_letters.labels(topic, reason).inc(number)
        self.rows.inc(sum(len(page.rows) for page in sheet.pages.values()))
        self.settle_seconds.observe(seconds)
        if sheet.oldest_ms is not None:
            self.delay_seconds.observe(max(0.0, time.time() - sheet.oldest_ms / 1000))

    def restored(self, rows: int, seconds: float) -> None:
        """Count what was recovered when partitions were taken."""
        self.restored_rows.inc(rows)
        self.restore_seconds.inc(seconds)

    def ask(
        self,
        *,
        partitions: Callable[[], int],
        silent: Callable[[], int],
        tick_wait_s: Callable[[], float],
        lag: Callable[[], int | None],
        in_flight: Callable[[], int],
    ) -> None:
        """Have gauges asked for whenever Prometheus looks, from the health server's thread."""
        self.partitions.set_function(partitions)
        self.silent_partitions.set_function(silent)
        self.tick_wait_seconds.set_function(tick_wait_s)
        self.lag_records.set_function(lambda: nan if (known := lag()) is None else known)
        self.in_flight.set_function(in_flight)
