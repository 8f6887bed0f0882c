"""What the relay tells Prometheus; counted by batch, once it is committed."""

from prometheus_client import Counter, Histogram

from common.metrics import LATE_S, QUICK_S, dead_letters, new_registry


class Metrics:
    """The relay's metrics; docs/metrics.md has them all."""

    def __init__(self) -> None:
        """Declare them in a registry of their own."""
        registry = self.registry = new_registry()
        self.read = Counter(
            "engage_relay_records_read", "Raw records that were relayed.", registry=registry
        )
        self.written = Counter(
            "engage_relay_records_written", "Records that the relay wrote.", registry=registry
        )
        self.duplicates = Counter(
            "engage_relay_duplicates",
            "Events that came again within the relay's short memory.",
            registry=registry,
        )
        self.transactions = Counter(
            "engage_relay_transactions",
            "Transactions, by how they ended.",
            ["outcome"],
            registry=registry,
        )
        self.transaction_seconds = Histogram(
            "engage_relay_transaction_seconds",
            "How long a transaction took, from its begin to its commit.",
            buckets=QUICK_S,
            registry=registry,
        )
        self.delay_seconds = Histogram(
            "engage_relay_delay_seconds",
            "How old a batch's oldest raw record was when the batch was committed.",
            buckets=LATE_S,
            registry=registry,
        )
        self.waited = Counter(
            "engage_relay_waited_seconds",
            "Time waited because of RELAY_RECORDS_PER_S, or before trying again.",
            registry=registry,
        )
        self.dead_letters = dead_letters(registry)
        self.committed = self.transactions.labels("committed")
        self.aborted = self.transactions.labels("aborted")
