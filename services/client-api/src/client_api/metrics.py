"""What client-api tells Prometheus: its requests, and how the records flow through all services."""

import time
from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram

from common.metrics import QUICK_S, new_registry
from engage.flow import Flow, Slot, unknown
from engage.source import WAL_STATUSES

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
"""Callers may make up others, which are told as one."""
STREAMS = frozenset({"/api/events"})
"""Routes whose answers last as long as somebody looks at the page."""
CAPTURE = "capture"
"""The reader of the first hop, which is no consumer group."""


class Metrics:
    """client-api's metrics; docs/metrics.md has them all."""

    def __init__(self) -> None:
        """Declare them in a registry of their own."""
        self.registry = new_registry()
        self._declare_requests()
        self._declare_flow()
        # Until the first look nobody knows.
        self.flows(unknown("nothing was measured yet"))
        self._known: dict[tuple[str, str, int], Callable[[float], None]] = {}

    def _declare_requests(self) -> None:
        registry = self.registry
        self.requests = Counter(
            "engage_api_requests",
            "Requests answered, by method, route and status; 0 when nobody waited for the answer.",
            ["method", "route", "status"],
            registry=registry,
        )
        self.request_seconds = Histogram(
            "engage_api_request_seconds",
            "How long requests took, but for event streams.",
            ["method", "route"],
            buckets=QUICK_S,
            registry=registry,
        )
        self.streams = Gauge(
            "engage_api_event_streams", "Event streams that are open.", registry=registry
        )
        self.connections = Gauge(
            "engage_api_connections_in_use",
            "Connections to Postgres that are in use, by pool.",
            ["pool"],
            registry=registry,
        )

    def _declare_flow(self) -> None:
        registry = self.registry
        self.lag_records = Gauge(
            "engage_lag_records",
            "Records that a reader is behind; above 5,000 offsets, which is a little more.",
            ["reader"],
            registry=registry,
        )
        self.lag_seconds = Gauge(
            "engage_lag_seconds",
            "Age of the oldest record that a reader has not read; of capture, of its heartbeat.",
            ["reader"],
            registry=registry,
        )
        self.readers = Gauge(
            "engage_reader_members", "Members of a reader's group.", ["reader"], registry=registry
        )
        self.slot_bytes = Gauge(
            "engage_slot_bytes", "Postgres' log that is kept for the capture.", registry=registry
        )
        self.slot_safe_bytes = Gauge(
            "engage_slot_safe_bytes",
            "Log that may be written before the slot is in danger; no number without a limit.",
            registry=registry,
        )
        self.slot_status = Gauge(
            "engage_slot_wal_status",
            "1 for what Postgres says of the slot: reserved, extended, unreserved or lost.",
            ["status"],
            registry=registry,
        )
        self.slot_active = Gauge(
            "engage_slot_active", "1 while the capture reads its slot.", registry=registry
        )
        self.waiting = Gauge(
            "engage_dead_letters_waiting",
            "Dead letters that nobody has dealt with, at most 1,000 of a topic.",
            ["topic", "reason"],
            registry=registry,
        )
        self._labelled = (
            self.lag_records,
            self.lag_seconds,
            self.readers,
            self.slot_status,
            self.waiting,
        )
        self.late_erasures = Gauge(
            "engage_erasures_late",
            "Erasures that are not finished an hour after they were asked for.",
            registry=registry,
        )
        self.flow_measured_at = Gauge(
            "engage_flow_measured_timestamp_seconds",
            "When lags, slot, waiting letters and late erasures were last measured, since 1970.",
            registry=registry,
        )

    def requested(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; ``route`` is the route's pattern, never a path."""
        key = (method if method in METHODS else "other", route, status)
        count = self._known.get(key)
        if count is None:
            count = self._known[key] = self._counting(*key)
        count(seconds)

    def _counting(self, method: str, route: str, status: int) -> Callable[[float], None]:
        """Return what counts such requests: to find the series each time takes longer."""
        requests = self.requests.labels(method, route, str(status))
        if route in STREAMS:
            return lambda _: requests.inc()
        durations = self.request_seconds.labels(method, route)

        def count(seconds: float) -> None:
            requests.inc()
            durations.observe(seconds)

        return count

    def flows(self, flow: Flow) -> None:
        """Tell how records flow; what is not known is not told, rather than told as it was."""
        for gauge in self._labelled:
            gauge.clear()
        for lag in flow.lags or ():
            self.lag_records.labels(lag.group).set(lag.records)
            if lag.seconds is not None:
                self.lag_seconds.labels(lag.group).set(lag.seconds)
            self.readers.labels(lag.group).set(lag.members)
        for (topic, reason), number in (flow.waiting or {}).items():
            self.waiting.labels(topic, reason).set(number)
        self._captures(flow.slot)
        self.late_erasures.set(_number(flow.late_erasures))
        if not flow.problems:
            self.flow_measured_at.set(time.time())

    def _captures(self, slot: Slot | None) -> None:
        self.slot_active.set(_number(None if slot is None else slot.active))
        self.slot_bytes.set(_number(None if slot is None else slot.kept_bytes))
        self.slot_safe_bytes.set(_number(None if slot is None else slot.safe_bytes))
        if slot is None:
            return
        for status in WAL_STATUSES:
            self.slot_status.labels(status).set(status == slot.wal_status)
        if slot.beat_age_s is not None:
            self.lag_seconds.labels(CAPTURE).set(slot.beat_age_s)

    def ask(self, *, streams: Callable[[], int], pools: dict[str, Callable[[], int]]) -> None:
        """Have gauges asked for whenever Prometheus looks, from the health server's thread."""
        self.streams.set_function(streams)
        for name, in_use in pools.items():
            self.connections.labels(name).set_function(in_use)


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
