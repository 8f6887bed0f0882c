"""Traces of clients: the newest change counts, for some minutes, of so many clients."""

import pytest

from common.topics import LIVE
from scorer import traces as traces_module
from scorer.traces import KEPT_S, Traces
from tests.spans import SAMPLED, UNSAMPLED, record

PLACE = (LIVE.name, 0, 7)
TRACED = [("traceparent", SAMPLED.encode())]


@pytest.fixture
def clock():
    """A clock that a test sets."""
    return [0.0]


@pytest.fixture
def traces(clock, monkeypatch) -> Traces:
    """Traces that are recorded."""
    record(monkeypatch)
    return Traces(lambda: clock[0])


def test_what_has_no_trace_costs_nothing(traces):
    """Nor does what nobody samples."""
    assert traces.take(1, [("attempt", b"2")], PLACE) is None
    assert traces.take(1, [("traceparent", UNSAMPLED.encode())], PLACE) is None
    assert not traces
    assert traces.headers(1) == ()


def test_the_newest_change_counts(traces):
    """Each goes on in its own way; the headers are those of the last."""
    first, second = traces.take(1, TRACED, PLACE), traces.take(1, TRACED, PLACE)
    assert first is not None
    assert second is not None
    ((_, carried),) = traces.headers(1)
    assert f"{second.get_span_context().span_id:016x}".encode() in carried
    assert traces.headers(2) == ()


@pytest.mark.parametrize("headers", [[], [("traceparent", UNSAMPLED.encode())]])
def test_a_change_that_nobody_traces_ends_the_trace_of_the_one_before(traces, headers):
    """What follows is that change's doing, and no longer the older one's."""
    traces.take(1, TRACED, PLACE)
    traces.take(2, TRACED, PLACE)
    assert traces.take(1, headers, PLACE) is None
    assert traces.headers(1) == ()
    assert traces.headers(2)


def test_after_some_minutes_it_is_no_more_of_the_change_s_doing(traces, clock):
    """And nothing is kept of it."""
    traces.take(1, TRACED, PLACE)
    clock[0] = KEPT_S
    assert traces.headers(1)
    clock[0] = KEPT_S + 1
    assert traces.headers(1) == ()
    assert not traces


def test_of_too_many_the_oldest_is_forgotten(traces, monkeypatch):
    """However much is traced, memory is bounded."""
    monkeypatch.setattr(traces_module, "KEPT_MAX", 2)
    for client in (1, 2, 1, 3):
        traces.take(client, TRACED, PLACE)
    assert traces.headers(2) == ()
    assert traces.headers(1)
    assert traces.headers(3)
