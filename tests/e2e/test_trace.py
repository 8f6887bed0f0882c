"""One trace, from the request that wrote an order to the email that was written because of it."""

import json
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from stack.launcher import Stack
from stack.tokens import As
from tests.e2e import books
from tests.e2e.collector import Collector, Span, collecting
from tests.e2e.waiting import wait_for

LIMIT_S = 120.0
SERVICES = {
    "client-api": "client-api",
    "projector": "projector",
    "relay": "cdc-relay",
    "scorer": "scorer",
    "mailer": "mailer",
}
"""What a part of the stack calls itself."""
POLICY = {"holdout_percent": 0, "auto_approve": True, "hold_after_days": 365}
ROAD = [
    ("client-api", "POST /api/orders"),
    ("cdc-relay", "process cdc.public.orders"),
    ("scorer", "process client.events"),
    ("mailer", "process client.at-risk"),
    ("mailer", "write email"),
    ("mailer", "chat"),
]
CANARIES = ("Zyxwila", "Quorbital", "zyx@canary.example", "41.93", "wobbletag")
CALLER = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
WRITER = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """Who takes the traces of all services."""
    with collecting() as started:
        yield started


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Stack]:
    """A running system that hands its traces over within moments."""
    folder = tmp_path_factory.mktemp("trace")
    print(f"logs: {folder / 'logs'}")
    told = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    trusting = {"client-api": {**told, "TRUST_TRACEPARENT": "true"}}
    with Stack(folder, durable=False, extra=dict.fromkeys(SERVICES, told) | trusting) as running:
        running.start()
        books.publish(running, **POLICY)
        yield running


@pytest.fixture(scope="module")
def written(stack: Stack, collector: Collector) -> list[Span]:
    """The trace in which a client's last order was written, once that led to an email."""
    with api(stack) as http:
        client = made(
            http,
            "/api/clients",
            first_name=CANARIES[0],
            surname=CANARIES[1],
            email=CANARIES[2],
            style_tags=[CANARIES[4]],
        )
        # An episode goes on with its client's newest change, and changes of clients and of orders
        # take ways of their own: the client's must be known before the orders come.
        wait_for("the client is known", lambda: trace_of(collector, "POST /api/clients"), LIMIT_S)
        now = stack.business_now()
        for days in (150, 120):
            ordered_at = (now - timedelta(days=days)).isoformat()
            made(
                http,
                "/api/orders",
                client_id=client,
                amount=CANARIES[3],
                ordered_at=ordered_at,
                status="paid",
            )

    def email() -> bool | None:
        stack.parts.check()
        found = books.select(stack, "SELECT state FROM episodes WHERE state = 'written'")
        return True if found else None

    def told() -> list[Span] | None:
        return trace_of(collector, ROAD[0][1], {*ROAD, ("projector", "process client.scores")})

    wait_for("the email is written", email, LIMIT_S)
    try:
        return wait_for("its trace is told", told, LIMIT_S)
    except AssertionError:
        print(*collector.spans(), sep="\n")
        raise


def trace_of(
    collector: Collector,
    root: str,
    steps: AbstractSet[tuple[str, str]] = frozenset({("scorer", "process client.events")}),
) -> list[Span] | None:
    """Return the spans of a trace that began with ``root`` and has come to all of the ``steps``."""
    for first in collector.spans():
        if (first.name, first.parent) == (root, ""):
            spans = collector.spans(first.trace)
            if {(span.service, span.name) for span in spans} >= steps:
                return spans
    return None


def api(stack: Stack) -> httpx.Client:
    """Return a client of the API that may do anything."""
    return httpx.Client(
        base_url=stack.api_url, auth=As(stack.issuer_url), trust_env=False, timeout=60
    )


def made(http: httpx.Client, path: str, **fields: object) -> int:
    """Create a row; return its id."""
    answer = http.post(path, json=fields)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def test_the_road_from_the_request_to_the_email_is_one_trace(written: list[Span]) -> None:
    """Each step is the child of the one before, and the first is the request."""
    by_id = {span.id: span for span in written}
    (last,) = [span for span in written if span.name == ROAD[-1][1]]
    road = [last]
    while road[-1].parent:
        road.append(by_id[road[-1].parent])

    assert [(span.service, span.name) for span in reversed(road)] == ROAD
    assert {span.service for span in written} == set(SERVICES.values())
    assert [span.name for span in written if not span.parent] == [ROAD[0][1]]


def test_statements_are_told_as_part_of_what_asked_for_them(written: list[Span]) -> None:
    """SQLAlchemy's in client-api and asyncpg's own in the mailer, with their texts."""
    by_id = {span.id: span for span in written}
    statements = {
        (by_id[span.parent].name, span.name)
        for span in written
        if "db.query.text" in span.attributes and span.parent in by_id
    }

    assert ("POST /api/orders", "INSERT orders") in statements
    assert ("process client.at-risk", "INSERT episodes") in statements


def test_a_callers_trace_goes_on_and_one_that_is_no_trace_does_not(
    stack: Stack, collector: Collector
) -> None:
    """A gateway whom we trust may have begun it; what else is sent in its place is dropped."""
    trace, parent = CALLER
    with api(stack) as http:
        for sent in (f"00-{trace}-{parent}-01", CANARIES[0]):
            http.get("/api/policies/current", headers={"traceparent": sent}).raise_for_status()

    def told() -> list[Span] | None:
        found = [one for one in collector.spans() if one.name == "GET /api/policies/current"]
        return found if len(found) > 1 else None

    found = {span.trace: span for span in wait_for("both are told", told, LIMIT_S)}
    assert found.pop(trace).parent == parent
    assert {span.parent for span in found.values()} == {""}


def test_whoever_writes_by_sql_may_begin_the_trace_of_its_rows(
    stack: Stack, collector: Collector
) -> None:
    """What the transaction says of its trace goes with its rows, from the relay on."""
    trace, parent = WRITER
    with api(stack) as http:
        client = made(http, "/api/clients", first_name="Bo")
    books.execute(
        stack,
        f"SELECT set_config('engage.traceparent', '00-{trace}-{parent}-01', true)",
        f"INSERT INTO orders (client_id, ordered_at, amount) VALUES ({client}, now(), 20)",
    )

    def told() -> dict[str, Span] | None:
        found = {span.service: span for span in collector.spans(trace)}
        return found if {"cdc-relay", "scorer"} <= found.keys() else None

    found = wait_for("the row's trace is told", told, LIMIT_S)
    assert (found["cdc-relay"].name, found["cdc-relay"].parent) == (
        "process cdc.public.orders",
        parent,
    )
    assert found["scorer"].parent == found["cdc-relay"].id


def test_traces_tell_nothing_of_anybody(written: list[Span], collector: Collector) -> None:
    """Names, tags, addresses and amounts are in no span of any trace."""
    assert written
    everything = json.dumps([span.__dict__ for span in collector.spans()])
    assert not [canary for canary in CANARIES if canary in everything]


def test_logs_say_in_which_trace_their_lines_were_written(
    stack: Stack, written: list[Span]
) -> None:
    """The request's line and those about the email are found by the trace's id."""
    trace = written[0].trace
    lines = {
        part: [line for line in text_of(stack, part).splitlines() if trace in line]
        for part in ("client-api", "mailer")
    }

    assert any('"event": "request"' in line for line in lines["client-api"])
    assert any('"event": "model called"' in line for line in lines["mailer"])


def text_of(stack: Stack, part: str) -> str:
    """Return the log of a part."""
    return (Path(stack.folder) / "logs" / f"{part}.log").read_text()
