"""Traces: one from the request that wrote a row, through Kafka's headers, to the email.

What travels is W3C's ``traceparent`` alone, sixty characters of hexadecimal numbers: no baggage, in
which callers could send anything. Spans name services, topics and offsets, never a client.

Without ``OTEL_EXPORTER_OTLP_ENDPOINT`` nothing is recorded, and what others began is passed on.
"""

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags

__all__ = ["HEADER", "Span", "SpanKind"]

HEADER = "traceparent"
"""The name of the header in HTTP, in Kafka's records, and of the column of a row."""
FORM = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
"""Version 00 of W3C's Trace Context; others may carry more than we pass on."""
NOTHING = ("0" * 32, "0" * 16)
STOP_LIMIT_S = 2.0
"""How long the end of a process waits for its last spans to be taken."""

Attributes = Mapping[str, str | int | float | bool]
RecordHeaders = Iterable[tuple[str, str | bytes | None]]

_tracer = trace.get_tracer("engagement")
_recording = threading.Event()


def start(service: str, endpoint: str | None) -> None:
    """Record and export spans from now on, if somebody takes them; call it once, at start."""
    if endpoint is None:
        return
    # Takes a tenth of a second and some 15 MB, so nobody pays for it who does not trace.
    from common.tracing_export import provider  # noqa: PLC0415

    trace.set_tracer_provider(provider(service))
    _recording.set()


def recording() -> bool:
    """Whether this process records spans."""
    return _recording.is_set()


def stop() -> None:
    """Hand over the last spans, for a bounded time: whoever takes them may be away."""
    shutdown = getattr(trace.get_tracer_provider(), "shutdown", None)
    if shutdown is not None:
        ending = threading.Thread(target=shutdown, name="traces", daemon=True)
        ending.start()
        ending.join(STOP_LIMIT_S)


def parent(traceparent: str | None) -> Context | None:
    """Return the context that a ``traceparent`` names; None when it names none."""
    found = FORM.fullmatch(traceparent or "")
    if found is None or found[1] == NOTHING[0] or found[2] == NOTHING[1]:
        return None
    context = SpanContext(
        trace_id=int(found[1], 16),
        span_id=int(found[2], 16),
        is_remote=True,
        trace_flags=TraceFlags(int(found[3], 16)),
    )
    return trace.set_span_in_context(NonRecordingSpan(context), Context())


def of_headers(headers: RecordHeaders | None) -> str | None:
    """Return the ``traceparent`` of a Kafka record."""
    for name, value in headers or ():
        if name == HEADER and value is not None:
            return value if isinstance(value, str) else value.decode("ascii", "replace")
    return None


def sampled(span: Span | None = None) -> str | None:
    """Return what to pass on of a span, or of the current one; None when nobody records it."""
    context = (span or trace.get_current_span()).get_span_context()
    if not context.is_valid or not context.trace_flags.sampled:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-01"


def header(span: Span | None = None) -> list[tuple[str, str | bytes | None]] | None:
    """Return the same as a Kafka record's headers; None when there is nothing to pass on."""
    traceparent = sampled(span)
    return None if traceparent is None else [(HEADER, traceparent.encode())]


def begin(
    name: str, traceparent: str | None, kind: SpanKind, attributes: Attributes | None = None
) -> Span | None:
    """Begin a span that goes on with a trace; None when there is none. ``end`` it yourself."""
    context = parent(traceparent)
    if context is None:
        return None
    return _tracer.start_span(name, context, kind, attributes)


@contextmanager
def within(
    name: str,
    traceparent: str | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Attributes | None = None,
) -> Iterator[Span]:
    """Do something in a span: of the trace that is named, else of the current one, else of its own.

    An error marks it by its type; its text, which may quote a row, is not told.
    """
    with _tracer.start_as_current_span(
        name,
        parent(traceparent),
        kind,
        attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except Exception as error:
            failed(span, type(error).__name__)
            raise


def failed(span: Span, kind: str) -> None:
    """Mark a span as failed; ``kind`` says how, in a word that quotes nothing."""
    span.set_attribute("error.type", kind)
    span.set_status(trace.StatusCode.ERROR)


def processing(topic: str, partition: int, offset: int) -> dict[str, Any]:
    """Return the attributes of a span about one record of Kafka."""
    return {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": topic,
        "messaging.destination.partition.id": str(partition),
        "messaging.kafka.offset": offset,
    }
