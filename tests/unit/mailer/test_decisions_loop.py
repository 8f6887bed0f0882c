"""The loop that applies decisions ends when it is told to, however many are left."""

import asyncio

import structlog
from pydantic import SecretStr

from common.health import Heartbeat
from mailer.people import decisions
from mailer.people.decisions import BATCH, Decisions

LOG = structlog.stdlib.get_logger("test")


async def test_a_backlog_of_decisions_does_not_hold_up_a_stop(monkeypatch):
    """Told to stop in the middle of a backlog, it leaves the rest to the next mailer."""

    async def silence(*_):
        await asyncio.Event().wait()

    monkeypatch.setattr(decisions, "listen", silence)
    loop = Decisions(None, None, lambda: None, Heartbeat(60), LOG)
    stopping, applied = asyncio.Event(), 0

    async def always_more():
        nonlocal applied
        applied += 1
        if applied == 3:
            stopping.set()
        await asyncio.sleep(0)
        return BATCH

    loop.apply_some = always_more
    await asyncio.wait_for(loop.run(SecretStr("nowhere"), stopping), 10)
    assert applied == 3
