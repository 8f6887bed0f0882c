"""The gate before the mail server asks less and less often while the server fails at work."""

import asyncio

import structlog

from mailer.delivery import gate as gates
from mailer.delivery.gate import Gate

LOG = structlog.stdlib.get_logger("test")


async def well() -> None:
    """A server that finds nothing wrong as long as it is only greeted."""


async def waits(monkeypatch, times, between):
    """Close the gate so many times; return how long it waited before each question."""
    found: list[float] = []
    real = asyncio.sleep

    async def at_once(seconds):
        found.append(seconds)
        await real(0)

    monkeypatch.setattr(gates.asyncio, "sleep", at_once)
    gate = Gate(well, 1.0, LOG)
    opened = asyncio.Event()
    run = asyncio.create_task(gate.run(opened.set))
    for _ in range(times):
        await asyncio.wait_for(opened.wait(), 10)
        opened.clear()
        between(gate)
    run.cancel()
    return found


async def test_a_message_from_before_the_closing_shortens_no_wait(monkeypatch):
    """Late good news of other messages does not make a failing server be asked at once."""

    def fail(gate):
        gate.close("the server answered 421")
        gate.worked()

    assert (await waits(monkeypatch, 4, fail))[:4] == [0.0, 1.0, 2.0, 4.0]


async def test_a_message_that_is_taken_ends_the_trouble(monkeypatch):
    """Once the server takes messages, the next trouble is the first one again."""

    def recover(gate):
        gate.worked()
        gate.close("the server answered 421")

    assert (await waits(monkeypatch, 4, recover))[:4] == [0.0, 1.0, 1.0, 1.0]
