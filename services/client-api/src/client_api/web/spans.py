"""The span of a request: it begins the trace of what is written.

It goes on with a caller's where callers are trusted: whoever says that a trace is to be recorded
decides what it costs all services, and could say so of every request.

FastAPI could make it, and would tell path and query, which may hold names.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from opentelemetry import trace
from starlette.types import Scope

from common import tracing

UNTRACED = frozenset({"/livez", "/readyz", "/api/events"})
"""Probes, and what lasts as long as somebody looks at the page."""
OUR_FAULT = 500
_HEADER = tracing.HEADER.encode()


def around(scope: Scope) -> AbstractContextManager[Any]:
    """Return a span around a request; where nobody traces, nothing."""
    if scope["path"] in UNTRACED:
        return nullcontext()
    caller = _caller(scope) if scope["state"]["parts"].trust_traceparent else None
    if caller is None and not tracing.recording():
        return nullcontext()
    return tracing.within(scope["method"], caller, tracing.SpanKind.SERVER)


def _caller(scope: Scope) -> str | None:
    """Return what a caller sent as its trace."""
    sent = next((value for name, value in scope["headers"] if name == _HEADER), None)
    return None if sent is None else sent.decode("ascii", "replace")


def describe(method: str, route: str | None, status: int) -> None:
    """Tell what the request was and came to, by the route's pattern."""
    span = trace.get_current_span()
    if not span.is_recording():
        return
    span.update_name(f"{method} {route}" if route else method)
    span.set_attribute("http.request.method", method)
    span.set_attribute("http.response.status_code", status)
    if route:
        span.set_attribute("http.route", route)
    if status >= OUR_FAULT:
        tracing.failed(span, str(status))
