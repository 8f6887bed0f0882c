"""Whose trace a request goes on with, and what is stamped into the rows that it writes."""

from types import SimpleNamespace

import pytest

from client_api.store.stamp import stamp
from client_api.web.spans import around
from common import tracing
from tests.spans import SAMPLED, SPAN, TRACE, Spans, parent_of, record, trace_of


class Transaction:
    """Notes what is executed."""

    def __init__(self) -> None:
        self.stamped: list[str] = []

    async def execute(self, _: object, values: dict[str, str]) -> None:
        """Note the stamp."""
        self.stamped.append(values["traceparent"])


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    """Spans that are recorded."""
    monkeypatch.setattr(tracing, "recording", lambda: True)
    return record(monkeypatch)


async def written(*, trusts: bool) -> list[str]:
    """Write in a request of a caller who traces; return what was stamped."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/orders",
        "headers": [(b"traceparent", SAMPLED.encode())],
        "state": {"parts": SimpleNamespace(trust_traceparent=trusts)},
    }
    transaction = Transaction()
    with around(scope):
        await stamp(transaction)
    return transaction.stamped


async def test_a_caller_does_not_decide_what_is_traced(spans: Spans) -> None:
    """Anybody could have every request recorded; ours begins a trace of its own."""
    (stamped,) = await written(trusts=False)
    assert TRACE not in stamped
    assert parent_of(spans.named("POST")) is None


async def test_the_trace_of_a_caller_who_is_trusted_goes_on(spans: Spans) -> None:
    """A gateway of ours has decided already."""
    (stamped,) = await written(trusts=True)
    found = spans.named("POST")
    assert (trace_of(found), parent_of(found)) == (TRACE, SPAN)
    assert stamped == f"00-{TRACE}-{found.context.span_id:016x}-01"


@pytest.mark.parametrize("trusts", [False, True])
async def test_where_nothing_is_recorded_no_row_is_stamped(trusts: bool) -> None:  # noqa: FBT001
    """What a caller traces would cost bytes in each row, and the relay its shorter way."""
    assert await written(trusts=trusts) == []
