"""A worker's place in its group: under a name that stays, and never lost in silence."""

import asyncio
from types import SimpleNamespace
from typing import NoReturn

import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    InconsistentGroupProtocolError,
    InvalidSessionTimeoutError,
    KafkaError,
)

from scorer.app import make_app
from scorer.settings import Settings
from scorer.shims.membership import end_with_coordination

LIMIT_S = 5.0


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


@pytest.mark.parametrize(
    "refusal",
    [
        GroupAuthorizationFailedError("scorer-1"),
        InvalidSessionTimeoutError(),
        InconsistentGroupProtocolError(),
    ],
)
async def test_a_worker_that_is_refused_by_its_group_ends(refusal: KafkaError):
    """The coordinator would wait for somebody who asks, and nobody does before there is work."""
    ended: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def end(error: BaseException) -> NoReturn:
        ended.set_result(error)
        raise asyncio.CancelledError

    class Refused(GroupCoordinator):
        async def ensure_coordinator_known(self) -> None:
            raise refusal

    subscription = SubscriptionState()
    subscription.register_fetch_waiters(set())
    cluster = SimpleNamespace(add_listener=lambda _: None, topics=set, partitions_for_topic=set)
    client = SimpleNamespace(cluster=cluster, set_topics=lambda _: None)
    coordinator = Refused(client, subscription, group_id="scorer-1")
    end_with_coordination(coordinator, end)
    subscription.subscribe({"client.events"})
    assert await asyncio.wait_for(ended, LIMIT_S) is refusal


async def test_a_worker_that_leaves_its_group_does_not_end_for_it():
    ended: list[BaseException] = []
    task = asyncio.ensure_future(asyncio.Event().wait())
    end_with_coordination(SimpleNamespace(_coordination_task=task), ended.append)
    task.cancel()
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert ended == []
