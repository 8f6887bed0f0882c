"""Traces: what is passed on, what is recorded, and what is never told."""

import asyncio
import json
import logging

import pytest

from common import logs, statements, tracing
from common.tracing import SpanKind
from tests.spans import SAMPLED, SPAN, TRACE, UNSAMPLED, Spans, parent_of, record, trace_of

PLACE = ("client.events", 3, 17)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    """Spans that are recorded."""
    return record(monkeypatch)


def test_without_anybody_who_takes_traces_they_are_passed_on_as_they_came():
    """A service that does not record breaks nobody's trace, and begins none."""
    span = tracing.process(PLACE, SAMPLED)
    assert span is not None
    assert tracing.sampled(span) == SAMPLED
    with tracing.within("anything", SAMPLED):
        assert tracing.header() == [("traceparent", SAMPLED.encode())]
    with tracing.within("anything"):
        assert tracing.header() is None
    assert not tracing.recording()


def test_a_span_goes_on_with_the_trace_that_it_is_given(spans):
    """And what it passes on names the trace and itself."""
    with tracing.within("inner", SAMPLED, attributes={"a": 1}) as span:
        passed_on = tracing.sampled()
        assert passed_on == tracing.sampled(span)

    found = spans.named("inner")
    assert (trace_of(found), parent_of(found)) == (TRACE, SPAN)
    assert passed_on == f"00-{TRACE}-{found.context.span_id:016x}-01"
    assert dict(found.attributes) == {"a": 1}


def test_spans_within_spans_are_one_trace(spans):
    """The current one is the parent; without one a trace begins."""
    with tracing.within("outer"), tracing.within("inner"):
        pass

    inner, outer = spans.all()
    assert parent_of(outer) is None
    assert parent_of(inner) == f"{outer.context.span_id:016x}"
    assert trace_of(inner) == trace_of(outer)


def test_what_nobody_samples_is_neither_recorded_nor_passed_on(spans):
    """Whoever began the trace has decided."""
    with tracing.within("inner", UNSAMPLED):
        assert tracing.sampled() is None
        assert tracing.header() is None
    assert spans.all() == []


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "",
        "00",
        SAMPLED[:-1],
        f"{SAMPLED}-more",
        SAMPLED.upper(),
        f"01-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        "Anna <anna@example.com>",
    ],
)
def test_what_names_no_trace_begins_no_span(spans, odd):
    """It goes no further, whatever somebody wrote there."""
    assert tracing.parent(odd) is None
    assert tracing.process(PLACE, odd) is None
    with tracing.within("own", odd):
        assert TRACE not in (tracing.sampled() or "")


def test_records_carry_it_in_a_header():
    """Kafka's headers are bytes; one that is no text is none."""
    assert tracing.of_headers([("attempt", b"2"), ("traceparent", SAMPLED.encode())]) == SAMPLED
    assert tracing.of_headers([("traceparent", None), ("other", b"x")]) is None
    assert tracing.of_headers(None) is None
    assert tracing.parent(tracing.of_headers([("traceparent", b"\xff\xfe")])) is None


def test_a_record_is_worked_in_in_a_span_of_its_trace(spans):
    """It says where the record stands, and what is done inside of it goes on with it."""
    span = tracing.process(PLACE, SAMPLED)
    with tracing.inside(span), tracing.within("write"):
        pass
    assert [one.name for one in spans.all()] == ["write"]
    with tracing.inside(span, ends=True):
        pass

    found = spans.named("process client.events")
    assert (trace_of(found), parent_of(found)) == (TRACE, SPAN)
    assert found.kind is SpanKind.CONSUMER
    assert parent_of(spans.named("write")) == f"{found.context.span_id:016x}"
    assert dict(found.attributes) == {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": "client.events",
        "messaging.destination.partition.id": "3",
        "messaging.kafka.offset": 17,
    }


def test_a_batch_is_part_of_the_first_trace_and_linked_to_the_others(spans):
    """Not of what happens to go on; what nobody records is no part of anything."""
    unsampled = tracing.process(PLACE, UNSAMPLED)
    first, second = tracing.process(PLACE, SAMPLED), tracing.process(PLACE, SAMPLED)
    with tracing.within("other"), tracing.together("batch", [unsampled, first, second]):
        pass
    with tracing.within("another"), tracing.together("in none", [unsampled]):
        assert tracing.sampled() is None

    found = spans.named("batch")
    assert parent_of(found) == f"{first.get_span_context().span_id:016x}"
    assert [link.context for link in found.links] == [second.get_span_context()]
    assert "in none" not in [span.name for span in spans.all()]


def test_an_error_is_told_by_its_type_alone(spans):
    """Its text may quote a row."""
    with pytest.raises(ValueError, match="Anna"), tracing.within("inner"):
        raise ValueError("Anna")

    found = spans.named("inner")
    assert dict(found.attributes) == {"error.type": "ValueError"}
    assert found.events == ()
    assert "Anna" not in found.to_json()


def test_lines_of_the_log_say_in_which_trace_they_were_written(spans, capfd):
    """Ours and those of other libraries; outside of a trace there is nothing to say."""
    root = logging.getLogger()
    before = root.handlers, root.level
    try:
        log = logs.configure("test", "INFO")
        with tracing.within("inner", SAMPLED):
            log.info("inside")
            logging.getLogger("another").info("inside too")
        log.info("outside")
        lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    finally:
        root.handlers, root.level = before

    found = spans.named("inner")
    for line in lines[:2]:
        assert line["trace_id"] == TRACE
        assert line["span_id"] == f"{found.context.span_id:016x}"
    assert not {"trace_id", "span_id"} & lines[2].keys()


def test_a_statement_is_a_span_of_what_goes_on_without_its_values(spans):
    """Named by what it does; a pool's own statements, of which nobody asked, are none."""

    class Fake:
        async def fetch(self, *values):
            return values

    statement = statements.Prepared(Fake(), "SELECT id\n  FROM clients WHERE first_name = $1")
    assert asyncio.run(statement.fetch("Anna")) == ("Anna",)
    assert spans.all() == []

    async def traced():
        with tracing.within("request"):
            await statement.fetch("Anna")

    asyncio.run(traced())
    found = spans.named("SELECT clients")
    assert found.kind is SpanKind.CLIENT
    assert parent_of(found) == f"{spans.named('request').context.span_id:016x}"
    assert dict(found.attributes) == {
        "db.system.name": "postgresql",
        "db.query.summary": "SELECT clients",
        "db.query.text": "SELECT id FROM clients WHERE first_name = $1",
    }


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("BEGIN;", "BEGIN"),
        ("INSERT INTO orders (id) VALUES ($1)", "INSERT orders"),
        ("WITH due AS (SELECT id FROM episodes) UPDATE episodes SET x = 1", "SELECT episodes"),
        ("LISTEN decisions", "LISTEN"),
        ("VACUUM", "SQL"),
    ],
)
def test_statements_have_short_names(query, name):
    """Few of them, however many statements there are."""
    assert statements._described(query)[0] == name
