"""How many traces are recorded, and how many spans may wait to be taken."""

import threading

import pytest
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased

from common import tracing_export
from common.tracing_export import provider, sampler

BATCHES = 2 * 5_000
EXPORTED_AT_ONCE = 512
LIMIT_S = 30.0


@pytest.fixture(autouse=True)
def nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with an environment that says nothing."""
    for name in ("OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "OTEL_BSP_MAX_QUEUE_SIZE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("share", "rate"), [(None, 0.01), ("", 0.01), ("0.5", 0.5)])
def test_where_nobody_says_how_many_few_are_recorded(monkeypatch, share, rate):
    """Who named a collector and nothing else does not pay for every request."""
    if share is not None:
        monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", share)
    chosen = sampler()
    assert isinstance(chosen, ParentBased)
    assert f"root:TraceIdRatioBased{{{rate}}}" in chosen.get_description()


def test_a_sampler_that_is_named_decides(monkeypatch):
    """OpenTelemetry reads it itself; an empty one names none."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_on")
    assert sampler() is None
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "")
    assert sampler() is not None


class Taker(SpanExporter):
    """Takes nothing until it is told to, and then all."""

    def __init__(self) -> None:
        self.taken = 0
        self.open = threading.Event()

    def export(self, spans):
        """Count what comes."""
        self.open.wait(LIMIT_S)
        self.taken += len(spans)
        return SpanExportResult.SUCCESS


@pytest.mark.parametrize(("said", "kept"), [(None, BATCHES), ("600", 600)])
def test_the_spans_of_two_batches_may_wait(monkeypatch, said, kept):
    """A batch of the relay ends thousands in one go; OpenTelemetry's own queue holds 2,048."""
    taker = Taker()
    monkeypatch.setattr(tracing_export, "OTLPSpanExporter", lambda: taker)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_on")
    if said is not None:
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", said)
    made = provider("test")
    tracer = made.get_tracer("test")
    for _ in range(BATCHES):
        tracer.start_span("process").end()
    taker.open.set()
    made.shutdown()
    # What is in the exporter's own hands meanwhile waits no more.
    assert kept <= taker.taken <= kept + EXPORTED_AT_ONCE
