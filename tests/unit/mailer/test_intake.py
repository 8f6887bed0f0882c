"""What the mailer does with a record goes on with the record's trace."""

from types import SimpleNamespace

from confluent_kafka import Message

from common import tracing
from common.topics import AT_RISK
from mailer.episodes.intake import Intake
from mailer.metrics import Metrics
from tests.spans import SAMPLED, SPAN, TRACE, parent_of, record, trace_of


async def test_a_record_that_is_parked_is_said_in_its_trace_and_marked_failed(monkeypatch):
    """Whoever follows the trace finds the line, and sees that the record came to nothing."""
    spans = record(monkeypatch)
    said = []
    intake = Intake(
        SimpleNamespace(commit=lambda **_: None),
        SimpleNamespace(produce=lambda *_, **__: None, flush=lambda _: 0),
        lambda _: None,
        SimpleNamespace(beat=lambda: None),
        metrics=Metrics(),
        log=SimpleNamespace(error=lambda *_, **__: said.append(tracing.sampled())),
    )
    message = Message(
        topic=AT_RISK.name,
        partition=0,
        offset=1,
        key=b"1",
        value=b"junk",
        headers=[("traceparent", SAMPLED.encode())],
        timestamp=(1, 1),
    )
    await intake._take([message])

    span = spans.named(f"process {AT_RISK.name}")
    assert (trace_of(span), parent_of(span)) == (TRACE, SPAN)
    assert said == [f"00-{TRACE}-{span.context.span_id:016x}-01"]
    assert not span.status.is_ok
    assert span.attributes["error.type"] == "not_an_event"
