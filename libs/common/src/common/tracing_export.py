"""Where spans go: to whoever takes OTLP over HTTP at the address that the environment names.

OpenTelemetry's own variables hold: ``OTEL_EXPORTER_OTLP_ENDPOINT``, ``OTEL_TRACES_SAMPLER`` and its
``_ARG``, ``OTEL_BSP_MAX_QUEUE_SIZE``, ``OTEL_RESOURCE_ATTRIBUTES``.
"""

import os

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import (
    OTEL_BSP_MAX_QUEUE_SIZE,
    OTEL_TRACES_SAMPLER,
    OTEL_TRACES_SAMPLER_ARG,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio, Sampler

SHARE = 0.01
"""Of the traces that begin here, so many are recorded where nobody says how many."""
QUEUE_MAX = 16_384
"""Spans that wait to be taken: those of two batches of the scorer, three of the relay, which end
theirs in one go; some 20 MB. When it is full the oldest are lost."""


def provider(service: str) -> TracerProvider:
    """Return what records the spans of a service and hands them over, in a thread of its own."""
    # ``tracing.stop`` ends it, in a bounded time.
    made = TracerProvider(
        sampler=sampler(),
        resource=Resource.create({"service.name": service}),
        shutdown_on_exit=False,
    )
    queue = int(os.environ.get(OTEL_BSP_MAX_QUEUE_SIZE) or QUEUE_MAX)
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), max_queue_size=queue))
    return made


def sampler() -> Sampler | None:
    """Return what decides which traces are recorded; None where the environment names it."""
    if os.environ.get(OTEL_TRACES_SAMPLER):
        return None
    return ParentBasedTraceIdRatio(float(os.environ.get(OTEL_TRACES_SAMPLER_ARG) or SHARE))
