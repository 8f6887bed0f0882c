"""Open erasures are looked for as long as somebody asks, and no asking is lost."""

import asyncio
from typing import Any

import pytest

from client_api.operations import erasures
from client_api.operations.erasures import ATTEMPTS, Erasures
from client_api.problems import Conflict
from engage.settings import Settings

SETTINGS = Settings(kafka_bootstrap_servers="nowhere", engage_database_url="postgresql://nowhere")
LIMIT_S = 30.0


async def started(kind: str, actor: str, parameters: dict[str, Any], work: object) -> int:
    """Be a run that another server has."""
    raise Conflict("it goes on")


async def test_who_asks_during_the_last_attempt_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """An erasure that begins then gets all attempts once more; afterwards it is quiet."""
    monkeypatch.setattr(erasures, "GATHER_S", 0.0)
    monkeypatch.setattr(erasures, "AGAIN_S", 0.0)
    looked = 0
    quiet = asyncio.Event()
    found = Erasures(SETTINGS, started)
    loop = asyncio.get_running_loop()

    def look(_: Erasures) -> list[int]:
        nonlocal looked
        looked += 1
        if looked == ATTEMPTS:
            loop.call_soon_threadsafe(found.wanted)
        if looked == 2 * ATTEMPTS:
            loop.call_soon_threadsafe(quiet.set)
        return [7]

    monkeypatch.setattr(Erasures, "_open", look)
    found.begin()
    try:
        await asyncio.wait_for(quiet.wait(), LIMIT_S)
        for _ in range(20):
            await asyncio.sleep(0)
        assert looked == 2 * ATTEMPTS
    finally:
        await found.stop()
