"""A worker's place in its group: under a name that stays, and never lost in silence."""

import asyncio
from types import SimpleNamespace
from typing import NoReturn

import pytest

from scorer.app import make_app
from scorer.settings import Settings
from scorer.shims.membership import end_with_coordination


class Ended(Exception):
    """Stands for the end of the process."""


def _end(error: BaseException) -> NoReturn:
    raise Ended from error


async def test_a_worker_has_the_same_address_on_every_host(tmp_path, monkeypatch):
    settings = Settings(
        kafka_bootstrap_servers="localhost:9", scorer_data_dir=tmp_path, scorer_instance_id="one"
    )
    monkeypatch.setattr("socket.gethostname", lambda: "another-container")
    assert str(make_app(settings, _end).conf.canonical_url) == "http://one:6066"


async def test_a_worker_ends_when_its_coordination_fails():
    ended: list[BaseException] = []

    async def fail():
        raise AssertionError("the URL is another")

    task = asyncio.ensure_future(fail())
    end_with_coordination(SimpleNamespace(_coordination_task=task), ended.append)
    with pytest.raises(AssertionError):
        await task
    await asyncio.sleep(0)
    assert [str(error) for error in ended] == ["the URL is another"]


async def test_a_worker_that_leaves_its_group_does_not_end_for_it():
    ended: list[BaseException] = []
    task = asyncio.ensure_future(asyncio.Event().wait())
    end_with_coordination(SimpleNamespace(_coordination_task=task), ended.append)
    task.cancel()
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert ended == []
