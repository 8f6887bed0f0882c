"""What is asked for at the same time is done in one go, and nobody suffers for another."""

import asyncio
import contextvars

import pytest

from common import tracing
from common.errors import Transient
from mailer.together import Together
from tests.spans import SAMPLED, TRACE, parent_of, record, trace_of

LONG_S = 30.0
SOON_S = 0.001


class Work:
    """Doubles numbers; keeps what it was given."""

    def __init__(self, error: Exception | None = None, bad: frozenset[int] = frozenset()) -> None:
        """Raise ``error`` whenever one of the ``bad`` is among the numbers."""
        self.given: list[list[int]] = []
        self._error = error
        self._bad = bad
        self.began: asyncio.Queue[None] = asyncio.Queue()
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, numbers):
        """Answer in the order of the numbers."""
        self.given.append(list(numbers))
        self.began.put_nowait(None)
        await self.open.wait()
        if self._error is not None and self._bad & set(numbers):
            raise self._error
        return [2 * number for number in numbers]


def together(work, *, wait_s=SOON_S, most=100):
    """The thing under test."""
    return Together(work, name="work", wait_s=wait_s, most=most)


async def test_those_who_ask_at_once_are_answered_at_once():
    """One piece of work answers all, each with its own answer."""
    work = Work()
    asked = together(work)
    assert await asyncio.gather(*(asked.do(n) for n in range(5))) == [0, 2, 4, 6, 8]
    assert work.given == [[0, 1, 2, 3, 4]]


async def test_no_more_than_so_many_wait():
    """When there are enough, nobody waits any longer."""
    work = Work()
    asked = together(work, wait_s=LONG_S, most=2)
    assert await asyncio.gather(*(asked.do(n) for n in range(4))) == [0, 2, 4, 6]
    assert work.given == [[0, 1], [2, 3]]


async def test_who_comes_later_does_not_wait_for_work_under_way():
    """Each piece of work goes its own way."""
    work = Work()
    asked = together(work, wait_s=LONG_S, most=1)
    work.open.clear()
    first = asyncio.create_task(asked.do(1))
    second = asyncio.create_task(asked.do(2))
    for _ in range(2):
        await asyncio.wait_for(work.began.get(), LONG_S)
    work.open.set()
    assert [await first, await second] == [2, 4]


async def test_one_that_cannot_be_done_fails_alone():
    """What fails together is done one by one: only the one that fails is told."""
    work = Work(ValueError("bad"), frozenset({2}))
    asked = together(work)
    found = await asyncio.gather(*(asked.do(n) for n in range(4)), return_exceptions=True)
    assert [found[0], found[1], found[3]] == [0, 2, 6]
    assert isinstance(found[2], ValueError)
    assert work.given == [[0, 1, 2, 3], [0], [1], [2], [3]]


async def test_trouble_of_all_is_told_to_all():
    """What was tried long enough is not tried again for each."""
    work = Work(Transient("away"), frozenset({2}))
    asked = together(work)
    found = await asyncio.gather(*(asked.do(n) for n in range(4)), return_exceptions=True)
    assert all(isinstance(one, Transient) for one in found)
    assert work.given == [[0, 1, 2, 3]]


async def test_who_was_cancelled_asks_for_nothing():
    """Nothing is done for a task that was cancelled while it waited."""
    work = Work()
    asked = together(work, wait_s=LONG_S, most=2)
    gone = asyncio.create_task(asked.do(1))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await asked.do(2) == 4
    assert work.given == [[2]]


async def test_who_is_cancelled_during_the_work_keeps_nobody_from_an_answer():
    """The work goes on for the others."""
    work = Work()
    work.open.clear()
    asked = together(work)
    gone, other = (asyncio.create_task(asked.do(n)) for n in (1, 2))
    await asyncio.wait_for(work.began.get(), LONG_S)
    gone.cancel()
    work.open.set()
    assert await other == 4
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_what_is_done_for_many_belongs_to_the_trace_of_each(monkeypatch):
    """A part of the first one's, linked to the others'; what comes next is of nobody's."""
    spans = record(monkeypatch)
    seen = []

    async def work(numbers):
        seen.append(tracing.sampled())
        return numbers

    asked = together(work)

    async def ask(name, traceparent, number):
        with tracing.within(name, traceparent):
            await asked.do(number)

    await asyncio.gather(ask("first", SAMPLED, 1), ask("second", None, 2))
    await asked.do(3)

    first, second, done = (spans.named(name) for name in ("first", "second", "work"))
    assert (trace_of(done), parent_of(done)) == (TRACE, f"{first.context.span_id:016x}")
    assert [link.context.span_id for link in done.links] == [second.context.span_id]
    assert seen == [f"00-{TRACE}-{done.context.span_id:016x}-01", None]


async def test_work_for_all_goes_on_with_nothing_of_the_first_who_asks():
    """Were it done in the context of whoever asks first, its log would be told as that one's."""
    mine = contextvars.ContextVar("mine", default="nobody's")
    seen = []

    async def work(numbers):
        seen.append(mine.get())
        return numbers

    asked = together(work)

    async def ask(number):
        mine.set(f"of {number}")
        await asked.do(number)

    await asyncio.gather(ask(1), ask(2))
    assert seen == ["nobody's"]
