"""Traces: one from the request that wrote a row, through Kafka's headers, to the email.

What travels is W3C's ``traceparent`` alone, sixty characters of hexadecimal numbers: no baggage, in
which callers could send anything. Spans name services, topics and offsets, never a client.

Without ``OTEL_EXPORTER_OTLP_ENDPOINT`` nothing is recorded, and what others began is passed on.
"""

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags

__all__ = ["HEADER", "Span", "SpanKind"]

HEADER = "traceparent"
"""The name of the header in HTTP, in Kafka's records, and of the column of a row."""
FORM = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
"""Version 00 of W3C's Trace Context; others may carry more than we pass on."""
NOTHING = ("0" * 32, "0" * 16)
STOP_LIMIT_S = 2.0
"""How long the end of a process waits for its last spans to be taken."""

Place = tuple[str, int, int]
"""Of a record: topic, partition and offset."""
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


def current() -> Span:
    """Return the span in which this is asked; one that records nothing where there is none."""
    return trace.get_current_span()


def process(place: Place, traceparent: str | None) -> Span | None:
    """Begin the span of working a record in, as part of its trace; None when it has none.

    ``end`` it yourself, once what follows from the record is durable.
    """
    context = parent(traceparent)
    if context is None:
        return None
    topic, partition, offset = place
    told: Attributes = {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": topic,
        "messaging.destination.partition.id": str(partition),
        "messaging.kafka.offset": offset,
    }
    return _tracer.start_span(f"process {topic}", context, SpanKind.CONSUMER, told)


def inside(span: Span | None, *, ends: bool = False) -> AbstractContextManager[None]:
    """Do something in a span that was begun, and end it afterwards if it ``ends``.

    An error marks it by its type; its text, which may quote a row, is not told.
    """
    return nullcontext() if span is None else _inside(span, ends=ends)


@contextmanager
def _inside(span: Span, *, ends: bool) -> Iterator[None]:
    with trace.use_span(span, ends, record_exception=False, set_status_on_exception=False):
        try:
            yield
        except Exception as error:
            failed(span, type(error).__name__)
            raise


@contextmanager
def together(name: str, spans: Iterable[Span | None]) -> Iterator[None]:
    """Do something once for all of some spans, in a span that belongs to each of them.

    A span has one parent: the first of them that is recorded. It is linked to the others. Where
    none is recorded it is done in no trace, whatever goes on here.
    """
    recorded = [one for one in spans if one is not None and one.is_recording()]
    span: Span = trace.INVALID_SPAN
    if recorded:
        first, *others = recorded
        links = [Link(other.get_span_context()) for other in others]
        span = _tracer.start_span(name, trace.set_span_in_context(first, Context()), links=links)
    with inside(span, ends=True):
        yield


@contextmanager
def within(
    name: str,
    traceparent: str | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Attributes | None = None,
) -> Iterator[Span]:
    """Do something in a span: of the trace that is named, else of the current one, else of its own.

    An error marks it as ``inside`` says.
    """
    span = _tracer.start_span(name, parent(traceparent), kind, attributes)
    with inside(span, ends=True):
        yield span


def failed(span: Span, kind: str) -> None:
    """Mark a span as failed; ``kind`` says how, in a word that quotes nothing."""
    span.set_attribute("error.type", kind)
    span.set_status(trace.StatusCode.ERROR)
