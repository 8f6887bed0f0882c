"""Where spans go: to whoever takes OTLP over HTTP at the address that the environment names.

OpenTelemetry's own variables hold: ``OTEL_EXPORTER_OTLP_ENDPOINT``, ``OTEL_TRACES_SAMPLER`` and its
``_ARG`` (of requests that nobody samples already), ``OTEL_RESOURCE_ATTRIBUTES``.
"""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def provider(service: str) -> TracerProvider:
    """Return what records the spans of a service and hands them over, in a thread of its own."""
    # ``tracing.stop`` ends it, in a bounded time.
    made = TracerProvider(
        resource=Resource.create({"service.name": service}), shutdown_on_exit=False
    )
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return made
