"""A change goes on with the trace of the write that made it, and with no other."""

import json

import pytest
from confluent_kafka import Message

from cdc_relay.draft import Draft
from cdc_relay.hot import ORDERS, plain_order
from cdc_relay.source import Batch
from cdc_relay.translate import translate
from common import logs, tracing
from common.partition import PartitionMap
from common.topics import CDC_CLIENTS
from tests.spans import SAMPLED, SPAN, TRACE, UNSAMPLED, Spans, parent_of, record, trace_of
from tests.unit.cdc_relay.recorded import envelope

PARTITIONS = PartitionMap(12)
INSERTED, UPDATED, READ = "order inserted", "order updated", "order read by the snapshot"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    """Spans that are recorded."""
    return record(monkeypatch)


def traced(name: str, traceparent: str | None = SAMPLED) -> bytes:
    """Return a recorded change whose row was written in a trace."""
    change = envelope(name)
    for image in ("before", "after"):
        if change.get(image) is not None:
            change[image]["traceparent"] = traceparent
    return json.dumps(change).encode()


def drafted(value: bytes) -> Draft:
    """Draft a batch of one change."""
    draft = Draft(PARTITIONS, logs.configure("cdc-relay", "CRITICAL"))
    message = Message(topic=ORDERS, partition=0, offset=17, value=value, timestamp=(1, 1))
    draft.add(Batch([message], {}), lambda _offset, _raw: None)
    return draft


@pytest.mark.parametrize("name", [INSERTED, UPDATED])
def test_an_order_carries_on_the_trace_of_its_write(spans, name):
    """In a header that names the relay's own span, which ends when the batch is committed."""
    draft = drafted(traced(name))
    ((_, _, _, _, headers),) = draft.records
    assert spans.all() == []
    for span in draft.spans:
        span.end()

    found = spans.named(f"process {ORDERS}")
    assert (trace_of(found), parent_of(found)) == (TRACE, SPAN)
    assert headers == [("traceparent", f"00-{TRACE}-{found.context.span_id:016x}-01".encode())]
    assert found.attributes["messaging.kafka.offset"] == 17


@pytest.mark.parametrize("name", [INSERTED, UPDATED])
def test_what_goes_on_with_a_trace_is_left_by_the_hot_path(name):
    """What has none is not: nobody pays for what others trace."""
    assert plain_order(0, 17, traced(name), PARTITIONS) is None
    assert plain_order(0, 17, traced(name, None), PARTITIONS) is not None


def test_a_row_that_is_read_again_begins_no_old_trace_anew(spans):
    """Its last write may be years ago; it is as plain as any other."""
    assert plain_order(0, 17, traced(READ), PARTITIONS) is not None
    (out,) = translate(ORDERS, 0, 17, traced(READ))
    assert out.traceparent is None
    assert drafted(traced(READ)).spans == []


@pytest.mark.parametrize(
    ("topic", "name"), [(ORDERS, "order deleted"), (CDC_CLIENTS.name, "client deleted")]
)
def test_a_removal_goes_on_with_no_trace(topic, name):
    """The image that is gone tells whose write made it, not whose removed it."""
    assert all(out.traceparent is None for out in translate(topic, 0, 17, traced(name)))


@pytest.mark.parametrize("odd", [UNSAMPLED, "", "Anna", SAMPLED[:-2]])
def test_what_is_no_trace_or_not_sampled_goes_no_further(spans, odd):
    """The event is written as if there were none."""
    draft = drafted(traced(INSERTED, odd))
    ((_, value, _, _, headers),) = draft.records
    ((_, plain, _, _, _),) = drafted(traced(INSERTED, None)).records
    assert headers is None
    assert value == plain
    for span in draft.spans:
        span.end()
    assert spans.all() == []


def test_a_relay_that_does_not_record_passes_the_trace_on(spans, monkeypatch):
    """As it came, so that others' spans still belong together."""
    monkeypatch.undo()
    assert not tracing.recording()
    ((_, _, _, _, headers),) = drafted(traced(INSERTED)).records
    assert headers == [("traceparent", SAMPLED.encode())]
