"""What the projector does with a record goes on with the record's trace."""

from types import SimpleNamespace

import pytest
from confluent_kafka import Message

from client_api.projector import loop
from client_api.projector.loop import Projector
from client_api.projector.metrics import Metrics
from client_api.projector.store import Written
from common import tracing
from common.topics import SCORES
from tests.spans import SAMPLED, SPAN, TRACE, Spans, parent_of, record, trace_of

PROCESS = f"process {SCORES.name}"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    """Spans that are recorded."""
    return record(monkeypatch)


class Store:
    """Notes in which span it is asked to write."""

    def __init__(self) -> None:
        self.within: list[str | None] = []

    async def write(self, _: object) -> Written:
        """Write nothing."""
        self.within.append(tracing.sampled())
        return Written(0, 0, 0, 0)


async def handle(store: Store, *messages: Message) -> None:
    """Work a batch in."""
    consumer = SimpleNamespace(commit=lambda **_: None)
    producer = SimpleNamespace(produce=lambda *_, **__: None, flush=lambda _: 0)
    await Projector(consumer, producer, store, Metrics())._handle(list(messages))


def message(offset: int, value: bytes | None, traceparent: str | None = SAMPLED) -> Message:
    """Return a record of a client; without a value it is a tombstone."""
    headers = [] if traceparent is None else [("traceparent", traceparent.encode())]
    return Message(
        topic=SCORES.name,
        partition=0,
        offset=offset,
        key=b"1",
        value=value,
        headers=headers,
        timestamp=(1, 1),
    )


async def test_a_batch_is_written_in_the_traces_of_its_records(spans: Spans) -> None:
    """Its statements stand in the first one's, in a span that is linked to the other."""
    store = Store()
    plain, junk = message(1, None, None), message(2, b"junk")
    await handle(store, plain, junk, message(3, None), message(4, None))

    write = spans.named("write scores")
    _, first, second = [span for span in spans.all() if span.name == PROCESS]
    assert (trace_of(first), parent_of(first)) == (TRACE, SPAN)
    assert parent_of(write) == f"{first.context.span_id:016x}"
    assert [link.context.span_id for link in write.links] == [second.context.span_id]
    assert store.within == [f"00-{TRACE}-{write.context.span_id:016x}-01"]


async def test_what_nobody_traces_is_written_in_no_trace(spans: Spans) -> None:
    """Nothing is recorded of it."""
    store = Store()
    await handle(store, message(1, None, None))
    assert store.within == [None]
    assert spans.all() == []


async def test_a_record_that_is_parked_is_said_in_its_trace_and_marked_failed(
    spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever follows the trace finds the line, and sees that the record came to nothing."""
    said: list[str | None] = []
    log = SimpleNamespace(error=lambda *_, **__: said.append(tracing.sampled()))
    monkeypatch.setattr(loop, "log", log)
    await handle(Store(), message(1, b"junk"))

    span = spans.named(PROCESS)
    assert said == [f"00-{TRACE}-{span.context.span_id:016x}-01"]
    assert not span.status.is_ok
    assert span.attributes["error.type"] == "not_an_event"
