"""What client-api tells Prometheus: requests by route, and how records flow, or nothing of it."""

import asyncio
import math
import queue
import threading
from typing import Any

import pytest
from pydantic import SecretStr

from client_api.metrics import Metrics
from client_api.operations.flow import FlowWatch
from client_api.projector.metrics import Metrics as ProjectorMetrics
from client_api.store.reads import Reads
from engage.flow import Flow, Slot, unknown
from engage.lag import Lag

UNKNOWN = unknown("Kafka: nobody answers")
UNTOLD = ("slot_bytes", "slot_safe_bytes", "slot_active", "erasures_late")
"""What bears no label is told as no number."""
KNOWN = Flow(
    lags=(Lag("cdc → relay", "cdc-relay", 1, 7, True, 1.5, {}),),
    slot=Slot(active=True, wal_status="extended", kept_bytes=4096, safe_bytes=1024, beat_age_s=3.0),
    waiting={("client.events", "not_an_event"): 2},
    late_erasures=0,
    problems=(),
)


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of which nothing was counted yet."""
    return Metrics()


def told(metrics: Metrics, name: str, **labels: str) -> Any:
    """Return what Prometheus would be told."""
    return metrics.registry.get_sample_value(f"engage_{name}", labels)


def test_requests_count_by_method_route_and_status(metrics):
    """Durations are told of a route whatever its answers were."""
    for status in (200, 200, 404):
        metrics.requested("GET", "/api/clients/{client_id}", status, 0.25)

    route = {"method": "GET", "route": "/api/clients/{client_id}"}
    assert told(metrics, "api_requests_total", **route, status="200") == 2
    assert told(metrics, "api_requests_total", **route, status="404") == 1
    assert told(metrics, "api_request_seconds_count", **route) == 3
    assert told(metrics, "api_request_seconds_sum", **route) == pytest.approx(0.75)


def test_streams_count_as_requests_and_spoil_no_durations(metrics):
    """A page that is looked at for an hour is no request of an hour."""
    metrics.requested("GET", "/api/events", 200, 3600.0)

    route = {"method": "GET", "route": "/api/events"}
    assert told(metrics, "api_requests_total", **route, status="200") == 1
    assert told(metrics, "api_request_seconds_count", **route) is None


def test_methods_that_callers_make_up_are_one(metrics):
    """Nobody can fill Prometheus from outside."""
    for number in range(50):
        metrics.requested(f"MADE{number}", "none", 405, 0.0)

    asked = {"method": "other", "route": "none", "status": "405"}
    assert told(metrics, "api_requests_total", **asked) == 50
    assert len(metrics._known) <= 1


def test_what_is_measured_is_told_by_reader(metrics):
    """The capture's lag is the age of its heartbeat."""
    metrics.flows(KNOWN)

    assert told(metrics, "lag_records", reader="cdc-relay") == 7
    assert told(metrics, "lag_seconds", reader="cdc-relay") == 1.5
    assert told(metrics, "lag_seconds", reader="capture") == 3.0
    assert told(metrics, "reader_members", reader="cdc-relay") == 1
    assert told(metrics, "slot_bytes") == 4096
    assert told(metrics, "slot_safe_bytes") == 1024
    assert told(metrics, "slot_wal_status", status="extended") == 1
    assert told(metrics, "slot_wal_status", status="lost") == 0
    assert told(metrics, "slot_active") == 1
    waiting = {"topic": "client.events", "reason": "not_an_event"}
    assert told(metrics, "dead_letters_waiting", **waiting) == 2
    assert told(metrics, "erasures_late") == 0
    assert told(metrics, "flow_measured_timestamp_seconds") > 0


def test_what_is_not_known_any_more_is_not_told_as_it_was(metrics):
    """Neither zero nor the last figure; the time of the last measuring grows old."""
    metrics.flows(KNOWN)
    measured_at = told(metrics, "flow_measured_timestamp_seconds")
    metrics.flows(UNKNOWN)

    assert told(metrics, "lag_records", reader="cdc-relay") is None
    assert told(metrics, "lag_seconds", reader="capture") is None
    assert told(metrics, "slot_wal_status", status="extended") is None
    assert [str(told(metrics, name)) for name in UNTOLD] == ["nan"] * len(UNTOLD)
    assert told(metrics, "flow_measured_timestamp_seconds") == measured_at


def test_a_slot_that_was_lost_is_told_as_lost_and_not_as_empty(metrics):
    """Nothing is kept for it, which is no small number of bytes."""
    lost = Slot(active=False, wal_status="lost", kept_bytes=None, safe_bytes=None, beat_age_s=None)
    metrics.flows(Flow((), lost, {}, 0, ()))

    assert told(metrics, "slot_wal_status", status="lost") == 1
    assert told(metrics, "slot_wal_status", status="reserved") == 0
    assert told(metrics, "slot_active") == 0
    assert str(told(metrics, "slot_bytes")) == str(told(metrics, "slot_safe_bytes")) == "nan"


def test_prometheus_may_look_before_the_server_has_begun(metrics):
    """No connection is in use where there is none yet; nobody loses all the other figures."""
    reads = Reads(SecretStr("postgresql://nowhere"))
    metrics.ask(streams=lambda: 0, pools={"reads": reads.in_use})

    assert told(metrics, "api_connections_in_use", pool="reads") == 0


def test_before_the_first_look_nothing_is_known(metrics):
    """Zero would say that nobody reads the slot, and that no erasure is late."""
    assert [str(told(metrics, name)) for name in UNTOLD] == ["nan"] * len(UNTOLD)
    assert told(metrics, "flow_measured_timestamp_seconds") == 0


def test_an_age_that_nobody_knows_is_not_told(metrics):
    """The records that wait are."""
    metrics.flows(Flow((Lag("-", "scorer", 1, 7_000, False, None, {}),), None, None, None, ()))

    assert told(metrics, "lag_records", reader="scorer") == 7_000
    assert told(metrics, "lag_seconds", reader="scorer") is None


async def test_measuring_goes_on_after_what_could_not_be_measured(metrics):
    """Each look tells what it found."""
    found = [UNKNOWN, KNOWN]
    watch = FlowWatch(lambda: found.pop(0), metrics)
    await watch.look()
    assert told(metrics, "lag_records", reader="cdc-relay") is None
    await watch.look()
    assert told(metrics, "lag_records", reader="cdc-relay") == 7


def test_before_the_first_switch_of_the_day_its_duration_is_no_number():
    """Zero would be told as a switch that took no time."""
    told = ProjectorMetrics().registry.get_sample_value("engage_projector_day_switch_seconds")
    assert math.isnan(told)


async def test_a_measuring_that_breaks_leaves_no_old_figures(metrics):
    """It is a bug, which is logged; the figures of before are not told as if they were new."""
    metrics.flows(KNOWN)

    def broken() -> Flow:
        raise KeyError("a bug")

    await FlowWatch(broken, metrics).look()

    assert told(metrics, "lag_records", reader="cdc-relay") is None
    assert str(told(metrics, "slot_active")) == "nan"


async def test_a_measuring_that_takes_too_long_leaves_no_old_figures(
    metrics, monkeypatch: pytest.MonkeyPatch
):
    """None other begins meanwhile; what it says in the end is told."""
    metrics.flows(KNOWN)
    begun, go = threading.Semaphore(0), threading.Event()
    heard = asyncio.Event()

    def slow() -> Flow:
        begun.release()
        assert go.wait(30)
        return KNOWN

    tell = metrics.flows

    def hear(flow: Flow) -> None:
        tell(flow)
        heard.set()

    monkeypatch.setattr(metrics, "flows", hear)
    looking = asyncio.create_task(FlowWatch(slow, metrics, limit_s=0.01).look())
    await asyncio.wait_for(heard.wait(), 30)
    assert told(metrics, "lag_records", reader="cdc-relay") is None
    assert begun.acquire(timeout=30)
    assert not begun.acquire(blocking=False)
    go.set()
    await looking
    assert told(metrics, "lag_records", reader="cdc-relay") == 7


async def test_a_measuring_that_hangs_holds_up_no_shutdown(metrics):
    """Its thread is one that a process does not wait for."""
    begun: queue.SimpleQueue[bool] = queue.SimpleQueue()
    go = threading.Event()

    def hanging() -> Flow:
        begun.put(threading.current_thread().daemon)
        go.wait(30)
        return KNOWN

    watch = FlowWatch(hanging, metrics)
    watch.begin()
    try:
        assert await asyncio.to_thread(begun.get, timeout=30) is True
        await asyncio.wait_for(watch.stop(), 30)
    finally:
        go.set()
