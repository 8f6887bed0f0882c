"""The hub: every page gets every event, and none can fill the memory."""

import asyncio
from contextlib import ExitStack

import pytest

from client_api.live import hub as hubs
from client_api.live.events import Kind
from client_api.live.hub import KEPT_MAX, SUBSCRIBERS_MAX, Hub, Subscriber
from client_api.problems import Unavailable

LIMIT_S = 10


def fields_of(chunk: bytes) -> list[dict[str, str]]:
    """Return the fields of each event in a chunk of a stream."""
    return [
        dict(line.split(": ", 1) for line in block.split("\n"))
        for block in chunk.decode().strip().split("\n\n")
    ]


async def opened(page: Subscriber) -> tuple[object, str]:
    """Begin a stream; return its events and the id that it begins with."""
    events = page.events()
    (first,) = fields_of(await anext(events))
    return events, first["id"]


async def test_events_reach_every_page_in_order() -> None:
    """Each open page is told everything since it opened, with ids that count up."""
    hub = Hub()
    with hub.page() as early, hub.page() as late:
        early_events = early.events()
        await anext(early_events)
        hub.publish("score", b'{"n":1}')
        late_events = late.events()
        await anext(late_events)
        hub.publish("score", b'{"n":2}')
        told = fields_of(await anext(early_events))
        assert [one["data"] for one in told] == ['{"n":1}', '{"n":2}']
        assert [int(one["id"].rpartition("-")[2]) for one in told] == [1, 2]
        assert fields_of(await anext(late_events)) == told


async def test_an_event_is_made_once_however_many_pages_there_are() -> None:
    """Pages at the same place share the very bytes that go out."""
    hub = Hub()
    with ExitStack() as stack:
        streams = [stack.enter_context(hub.page()).events() for _ in range(3)]
        for stream in streams:
            await anext(stream)
        hub.publish("score", b"{}")
        first, *others = [await anext(stream) for stream in streams]
        assert all(other is first for other in others)


async def test_a_waiting_page_is_woken() -> None:
    """An event reaches a page that is asleep, and a burst reaches it together."""
    hub = Hub()
    with hub.page() as page:
        events = page.events()
        await anext(events)
        reading = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        hub.publish("score", b"1")
        hub.publish("score", b"2")
        async with asyncio.timeout(LIMIT_S):
            assert [one["data"] for one in fields_of(await reading)] == ["1", "2"]


async def test_a_page_that_comes_back_goes_on_behind_its_last_event() -> None:
    """What happened between two streams is told, nothing twice."""
    hub = Hub()
    with hub.page() as page:
        events = page.events()
        await anext(events)
        for n in range(3):
            hub.publish("score", b"%d" % n)
        last_id = fields_of(await anext(events))[1]["id"]
    hub.publish("score", b"3")
    with hub.page(last_id) as page:
        events = page.events()
        await anext(events)
        assert [one["data"] for one in fields_of(await anext(events))] == ["2", "3"]


async def test_a_page_that_saw_no_event_comes_back_to_where_it_began() -> None:
    """A stream begins with an id, so that even a quiet one can be resumed."""
    hub = Hub()
    with hub.page() as page:
        _, place = await opened(page)
    hub.publish("score", b"{}")
    with hub.page(place) as page:
        events = page.events()
        await anext(events)
        assert fields_of(await anext(events))[0]["event"] == "score"


@pytest.mark.parametrize("last_id", ["0-1", "x", "", "-", "client.scores-0-7", "9" * 90])
async def test_an_id_that_is_not_known_here_resets_the_page(last_id: str) -> None:
    """The page is told to read again; then it gets what is new."""
    hub = Hub()
    with hub.page(last_id) as page:
        events = page.events()
        await anext(events)
        (reset,) = fields_of(await anext(events))
        assert (reset["event"], reset["data"]) == ("reset", '{"reason":"gone"}')
        hub.publish("score", b"{}")
        assert fields_of(await anext(events))[0]["event"] == "score"
    with hub.page(reset["id"]) as page:
        events = page.events()
        await anext(events)
        assert fields_of(await anext(events))[0]["event"] == "score"


async def test_an_id_that_is_too_old_resets_the_page() -> None:
    """The log is bounded; a page whose next event was forgotten must read again."""
    hub = Hub()
    with hub.page() as page:
        _, place = await opened(page)
        for _ in range(KEPT_MAX + 1):
            hub.publish("score", b"{}")
    with hub.page(place) as page:
        events = page.events()
        await anext(events)
        assert fields_of(await anext(events))[0]["event"] == "reset"


async def test_ids_do_not_lead_on_when_nobody_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events for nobody are not taken, so a page that comes back too late must read again."""
    hub = Hub()
    with hub.page() as page:
        _, place = await opened(page)
    assert hub.wanted()
    monkeypatch.setattr(hubs, "RESUME_S", -1.0)
    assert not hub.wanted()
    hub.publish("score", b"{}")
    with hub.page(place) as page:
        events = page.events()
        await anext(events)
        assert fields_of(await anext(events))[0]["event"] == "reset"


async def test_a_quiet_stream_says_that_it_lives() -> None:
    """While nothing happens a comment goes out now and then; it says where the page is."""
    with Hub().page() as page:
        events = page.events(heartbeat_s=0.001)
        first = await anext(events)
        ping = await anext(events)
        assert ping.startswith(b": ping\n")
        assert fields_of(ping)[0]["id"] == fields_of(first)[0]["id"]


async def test_a_page_is_told_of_its_kinds_alone() -> None:
    """Pages of the same kinds still share the bytes; others see nothing of these events."""
    hub = Hub()
    scores: frozenset[Kind] = frozenset({"score"})
    with hub.page(kinds=scores) as one, hub.page(kinds=scores) as two, hub.page() as every:
        streams = [page.events() for page in (one, two, every)]
        for stream in streams:
            await anext(stream)
        hub.publish("email", b"1")
        hub.publish("score", b"2")
        hub.publish("email", b"3")
        hub.publish("score", b"4")
        first, second, third = [await anext(stream) for stream in streams]
        assert first is second
        assert [told["data"] for told in fields_of(first)] == ["2", "4"]
        assert [told["data"] for told in fields_of(third)] == ["1", "2", "3", "4"]


async def test_what_a_page_is_not_told_neither_quiets_it_nor_leaves_it_behind() -> None:
    """However many others there are, comments come in time, and their ids lead on behind them."""
    hub = Hub()
    emails: frozenset[Kind] = frozenset({"email"})
    with hub.page(kinds=emails) as page:
        events = page.events(heartbeat_s=0.01)
        await anext(events)
        reading = asyncio.ensure_future(anext(events))
        async with asyncio.timeout(LIMIT_S):
            while not reading.done():
                hub.publish("score", b"{}")
                await asyncio.sleep(0)
        place = fields_of(await reading)[0]["id"]
    number = int(place.rpartition("-")[2])
    assert number > 0
    while hub._log.first < number:
        hub.publish("score", b"{}")
    hub.publish("email", b"mine")
    with hub.page(place, emails) as page:
        events = page.events()
        await anext(events)
        assert [one["data"] for one in fields_of(await anext(events))] == ["mine"]


async def test_a_slow_page_is_reset_and_cut_off() -> None:
    """A page that falls behind the log is told so; others are not affected."""
    hub = Hub()
    with hub.page() as slow, hub.page() as good:
        slow_events, good_events = slow.events(), good.events()
        await anext(slow_events)
        await anext(good_events)
        for _ in range(KEPT_MAX):
            hub.publish("score", b"{}")
        assert await anext(good_events)
        for _ in range(KEPT_MAX):
            hub.publish("score", b"{}")
        told = [fields_of(chunk)[0] async for chunk in slow_events]
        assert [(one["event"], one["data"]) for one in told] == [
            ("reset", '{"reason":"slow"}'),
            ("cut", '{"reason":"slow"}'),
        ]
    with hub.page(told[0]["id"]) as page:
        events = page.events()
        await anext(events)
        hub.publish("score", b"new")
        assert fields_of(await anext(events))[0]["data"] == "new"


async def test_missed_events_reset_pages_whether_open_or_between_two_streams() -> None:
    """When a source was lost for a while, no id leads over the gap."""
    hub = Hub()
    with hub.page() as page:
        events, place = await opened(page)
        hub.cut("missed")
        told = [fields_of(chunk)[0]["event"] async for chunk in events]  # type: ignore[attr-defined]
        assert told == ["reset", "cut"]
    with hub.page(place) as page:
        events, _ = await opened(page)
        assert fields_of(await anext(events))[0]["event"] == "reset"  # type: ignore[call-overload]


async def test_the_log_is_bounded_in_bytes() -> None:
    """Large events push older ones out sooner."""
    hub = Hub()
    with hub.page() as page:
        _, place = await opened(page)
        for _ in range(3):
            hub.publish("score", b"x" * (hubs.KEPT_BYTES_MAX // 2))
        assert hub._log._bytes <= hubs.KEPT_BYTES_MAX
    with hub.page(place) as page:
        assert page._reset == "gone"


async def test_closing_ends_every_stream_and_opens_no_more() -> None:
    """A server that stops tells its pages and takes no new ones."""
    hub = Hub()
    with hub.page() as page:
        reading = asyncio.create_task(_all(page))
        await asyncio.sleep(0)
        hub.close()
        async with asyncio.timeout(LIMIT_S):
            assert (await reading)[-1] == b'event: cut\ndata: {"reason":"stopping"}\n\n'
    with pytest.raises(Unavailable), hub.page():
        pass


async def _all(page: Subscriber) -> list[bytes]:
    return [chunk async for chunk in page.events()]


async def test_pages_are_limited_in_number() -> None:
    """A page too many is refused; one that leaves makes room."""
    hub = Hub()
    with ExitStack() as stack:
        for _ in range(SUBSCRIBERS_MAX - 1):
            stack.enter_context(hub.page())
        with hub.page(), pytest.raises(Unavailable), hub.page():
            pass
        stack.enter_context(hub.page())
        assert len(hub) == SUBSCRIBERS_MAX
    assert len(hub) == 0
