"""What the projector tells Prometheus; counted by batch, once it is in Postgres."""

import math
from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram

from client_api.projector.store import Written
from common.metrics import LATE_S, QUICK_S, dead_letters, new_registry


class Metrics:
    """The projector's metrics; docs/metrics.md has them all."""

    def __init__(self) -> None:
        """Declare them in a registry of their own."""
        registry = self.registry = new_registry()
        self.records = Counter(
            "engage_projector_records", "Records of scores taken from Kafka.", registry=registry
        )
        self.rows = Counter(
            "engage_projector_rows",
            "What became of clients' newest records: written, stale, gone, forgotten.",
            ["outcome"],
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "engage_projector_batch_seconds",
            "How long it took to write a batch.",
            buckets=QUICK_S,
            registry=registry,
        )
        self.delay_seconds = Histogram(
            "engage_projector_delay_seconds",
            "How old a batch's oldest record was when the batch was written.",
            buckets=LATE_S,
            registry=registry,
        )
        self.dead_letters = dead_letters(registry)
        self.postgres_failures = Counter(
            "engage_projector_postgres_failures",
            "Failures of Postgres that were tried again.",
            registry=registry,
        )
        self.switch_seconds = Gauge(
            "engage_projector_day_switch_seconds",
            "How long this projector took to fill and serve the last day that it switched to; no"
            " number before the first.",
            registry=registry,
        )
        self.switch_seconds.set(math.nan)
        self.days_behind = Gauge(
            "engage_projector_days_behind",
            "Days between the day that is served and the shop's today; no number before the first.",
            registry=registry,
        )

    def wrote(self, written: Written) -> None:
        """Count what became of a batch."""
        for outcome, number in zip(("written", "stale", "gone", "forgotten"), written, strict=True):
            self.rows.labels(outcome).inc(number)

    def ask(self, *, days_behind: Callable[[], float]) -> None:
        """Have it asked for whenever Prometheus looks, from the health server's thread."""
        self.days_behind.set_function(days_behind)
