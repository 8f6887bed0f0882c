"""The hub: every page gets every event, and none can fill the memory."""

import asyncio

import pytest

from client_api.live.hub import PENDING_MAX, SUBSCRIBERS_MAX, Hub
from client_api.problems import Unavailable


async def test_events_reach_every_page_in_order() -> None:
    """Each open page is told everything since it opened, with ids."""
    hub = Hub()
    early = hub.subscribe().events()
    await anext(early)
    hub.publish("score", b'{"n":1}', "a-1")
    late = hub.subscribe().events()
    await anext(late)
    hub.publish("score", b'{"n":2}', "a-2")
    assert await anext(early) == (
        b'event: score\ndata: {"n":1}\nid: a-1\n\nevent: score\ndata: {"n":2}\nid: a-2\n\n'
    )
    assert await anext(late) == b'event: score\ndata: {"n":2}\nid: a-2\n\n'


async def test_a_quiet_stream_says_that_it_lives() -> None:
    """While nothing happens a comment goes out now and then."""
    events = Hub().subscribe().events(heartbeat_s=0.001)
    await anext(events)
    assert await anext(events) == b": ping\n\n"


async def test_a_slow_page_is_cut_off_and_told() -> None:
    """One event too many ends the stream with its reason; others are not affected."""
    hub = Hub()
    slow, good = hub.subscribe(), hub.subscribe()
    reading = good.events()
    await anext(reading)
    for _ in range(PENDING_MAX // 2 + 1):
        hub.publish("score", b"{}", "x")
    assert await anext(reading)
    for _ in range(PENDING_MAX // 2 + 1):
        hub.publish("score", b"{}", "x")
    assert await anext(reading)
    told = [chunk async for chunk in slow.events()]
    assert told[1:] == [b'event: cut\ndata: {"reason":"slow"}\n\n']


async def test_closing_ends_every_stream_and_opens_no_more() -> None:
    """A server that stops tells its pages and takes no new ones."""
    hub = Hub()
    subscriber = hub.subscribe()
    reading = asyncio.create_task(_all(subscriber.events()))
    await asyncio.sleep(0)
    hub.close()
    async with asyncio.timeout(5):
        assert (await reading)[-1] == b'event: cut\ndata: {"reason":"stopping"}\n\n'
    with pytest.raises(Unavailable):
        hub.subscribe()


async def _all(events: object) -> list[bytes]:
    return [chunk async for chunk in events]  # type: ignore[attr-defined]


async def test_pages_are_limited_in_number() -> None:
    """A page too many is refused; one that leaves makes room."""
    hub = Hub()
    pages = [hub.subscribe() for _ in range(SUBSCRIBERS_MAX)]
    with pytest.raises(Unavailable):
        hub.subscribe()
    hub.unsubscribe(pages[0])
    hub.subscribe()
    assert len(hub) == SUBSCRIBERS_MAX
