"""What a mailer tells Prometheus: its work, the model's calls, and the sums of the ledger."""

from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram

from common.metrics import CALL_S, LATE_S, QUICK_S, dead_letters, new_registry
from mailer.model.openrouter import Call
from mailer.words.checks import FORM, RULES

KNOWN = frozenset({FORM, *(rule.name for rule in RULES)})


class Metrics:
    """The mailer's metrics; docs/metrics.md has them all."""

    def __init__(self) -> None:
        """Declare them in a registry of their own."""
        self.registry = new_registry()
        self._declare_work()
        self._declare_model()
        self._declare_ledger()

    def _declare_work(self) -> None:
        registry = self.registry
        self.records = Counter(
            "engage_mailer_records", "Records of episodes taken from Kafka.", registry=registry
        )
        self.batch_seconds = Histogram(
            "engage_mailer_batch_seconds",
            "How long it took to record a batch of episodes and to commit its offsets.",
            buckets=QUICK_S,
            registry=registry,
        )
        self.delay_seconds = Histogram(
            "engage_mailer_delay_seconds",
            "How old a batch's oldest record was when the batch was recorded.",
            buckets=LATE_S,
            registry=registry,
        )
        self.dead_letters = dead_letters(registry)
        self.texts = Counter(
            "engage_mailer_texts",
            "Texts of the model: accepted, discarded because something changed, or unusable.",
            ["outcome"],
            registry=registry,
        )
        self.broken_rules = Counter(
            "engage_mailer_broken_rules",
            "Rules that unusable texts broke.",
            ["rule"],
            registry=registry,
        )
        self.deliveries = Counter(
            "engage_mailer_deliveries",
            "Tries to hand a message to the mail server: sent, uncertain, refused, unavailable.",
            ["outcome"],
            registry=registry,
        )
        self.delivery_seconds = Histogram(
            "engage_mailer_delivery_seconds",
            "How long a try to hand a message to the mail server took.",
            buckets=CALL_S,
            registry=registry,
        )

    def _declare_model(self) -> None:
        registry = self.registry
        self.model_calls = Counter(
            "engage_mailer_model_calls",
            "Calls of the model, by what they came to.",
            ["outcome"],
            registry=registry,
        )
        self.model_call_seconds = Histogram(
            "engage_mailer_model_call_seconds",
            "How long calls of the model took.",
            buckets=CALL_S,
            registry=registry,
        )
        self.model_tokens = Counter(
            "engage_mailer_model_tokens",
            "Tokens that calls of the model used, as far as answers say so.",
            ["kind"],
            registry=registry,
        )
        self.model_cost_usd = Counter(
            "engage_mailer_model_cost_usd",
            "US dollars that calls of the model cost, as far as answers say so.",
            registry=registry,
        )
        self.model_paused = Gauge(
            "engage_mailer_model_paused",
            "1 while nothing is asked of the model, because it cannot be or its budget is spent.",
            registry=registry,
        )
        self.delivery_paused = Gauge(
            "engage_mailer_delivery_paused",
            "1 while nothing is sent though delivery is on, because the server is not willing.",
            registry=registry,
        )
        self.claims = Gauge(
            "engage_mailer_claims", "Episodes that are being written.", registry=registry
        )

    def _declare_ledger(self) -> None:
        registry = self.registry
        self.episodes = Gauge("engage_episodes", "Episodes by state.", ["state"], registry=registry)
        self.imbalance = Gauge(
            "engage_ledger_imbalance",
            "Sum over states of how far the episodes are from what the history says; 0 is well.",
            registry=registry,
        )
        self.ledger_read_at = Gauge(
            "engage_ledger_read_timestamp_seconds",
            "When the ledger was last read, in seconds since 1970.",
            registry=registry,
        )
        # Until the first look nobody knows.
        self.imbalance.set(float("nan"))

    def called(self, call: Call) -> None:
        """Count a call of the model."""
        receipt = call.receipt
        self.model_calls.labels(type(call.verdict).__name__.lower()).inc()
        self.model_call_seconds.observe(call.latency_ms / 1000)
        self.model_tokens.labels("prompt").inc(receipt.prompt_tokens or 0)
        self.model_tokens.labels("completion").inc(receipt.completion_tokens or 0)
        self.model_cost_usd.inc(receipt.cost_usd or 0)

    def unusable(self, problems: tuple[str, ...]) -> None:
        """Count a text that broke rules; of a wrong form the kind alone, not what was wrong.

        What is no rule of ours, as when there is no text at all, is one.
        """
        self.texts.labels("unusable").inc()
        for problem in problems:
            rule = problem.partition(":")[0]
            self.broken_rules.labels(rule if rule in KNOWN else "other").inc()

    def delivered(self, outcome: str, seconds: float) -> None:
        """Count a try to hand a message over."""
        self.deliveries.labels(outcome).inc()
        self.delivery_seconds.observe(seconds)

    def ask(
        self,
        *,
        paused: Callable[[], bool],
        unsent: Callable[[], bool],
        claims: Callable[[], int],
    ) -> None:
        """Have gauges asked for whenever Prometheus looks, from the health server's thread."""
        self.model_paused.set_function(paused)
        self.delivery_paused.set_function(unsent)
        self.claims.set_function(claims)
