"""Runs that people start: what no database or JSON can hold is a failed run, never a 500."""

import asyncio
from typing import Any, cast
from uuid import uuid4

import pytest

from client_api.operations import operator, runs
from client_api.operations.operator import Operator
from client_api.operations.runs import Noted, Runs
from client_api.trail import Trail
from common.score.policy import Policy
from engage.settings import Settings


class Started:
    """Takes what would be started."""

    engine = None

    def __init__(self) -> None:
        self.parameters: dict[str, Any] = {}

    async def start(
        self, _kind: str, _actor: str, parameters: dict[str, Any], _work: Any, _trail: Trail
    ) -> int:
        self.parameters = parameters
        return 7


async def test_a_trial_has_no_version(monkeypatch: pytest.MonkeyPatch):
    """However great a number it is, it is neither judged nor kept."""
    monkeypatch.setattr(operator, "read_policies", lambda *_: [])
    monkeypatch.setattr(operator, "in_force", lambda _: Policy())
    started = Started()
    asked = Operator(Settings(kafka_bootstrap_servers="nowhere:1"), cast("Runs", started))
    policy = {"version": 10**30, "theta": 0.4}
    trail = Trail("ann", "POST /api/what-ifs", uuid4())
    await asked.what_if(
        policy, day=None, clients=0, cost_per_email=None, currency="USD", trail=trail
    )
    assert started.parameters["policy"] == {"theta": 0.4}


class Connection:
    """A connection on which nothing is written but what the store's functions note."""

    def begin(self) -> "Connection":
        return self

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        pass

    async def invalidate(self) -> None:
        pass

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(("result", "broke"), [({"rows": 10**30}, True), ({"rows": 1}, False)])
async def test_a_result_that_json_cannot_hold_fails_the_run(
    result: dict[str, Any],
    broke: bool,  # noqa: FBT001 - a parameter of the test
    monkeypatch: pytest.MonkeyPatch,
):
    """Its row would say for ever that it runs."""
    ended: list[tuple[str | None, str | None]] = []

    async def tell(*_: object) -> None:
        await asyncio.sleep(0)

    async def finish(_db: object, _run: int, result: str | None, error: str | None) -> None:
        await asyncio.sleep(0)
        ended.append((result, error))

    monkeypatch.setattr(runs.store, "tell", tell)
    monkeypatch.setattr(runs.store, "finish", finish)
    following = Runs(cast("Any", None))._follow
    await following(cast("Any", Connection()), 1, "replay", lambda _: result, Noted())
    ((said, error),) = ended
    assert (said is None) == broke
    assert error == ("it broke; the reason is logged" if broke else None)
