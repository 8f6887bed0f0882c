"""Doing in one go what many ask for at about the same time: one transaction instead of many."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from common import tracing
from common.errors import Transient

Asked = TypeVar("Asked")
Given = TypeVar("Given")


class _Waiting(NamedTuple, Generic[Asked, Given]):
    asked: Asked
    answer: "asyncio.Future[Given]"
    span: tracing.Span
    """In which it was asked for."""


class Together(Generic[Asked, Given]):
    """Collects what is asked for a moment and does it together. One event loop owns it."""

    def __init__(
        self,
        work: Callable[[Sequence[Asked]], Awaitable[Sequence[Given]]],
        *,
        name: str,
        wait_s: float,
        most: int,
    ) -> None:
        """Have ``work`` answer up to ``most`` at once, in their order, ``wait_s`` after the first.

        Its span is called ``name``, and belongs to all who asked.

        ``work`` does all or nothing. What it cannot do together it is given one by one, so that
        nobody fails, or waits, for another's sake; not so when it raises Transient, for everybody.
        """
        self._work = work
        self._name = name
        self._wait_s = wait_s
        self._most = most
        self._waiting: list[_Waiting[Asked, Given]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._going: set[asyncio.Task[None]] = set()
        self._context = contextvars.copy_context()
        """Of nobody who asks: what is done for all goes on with no one's own."""

    async def do(self, asked: Asked) -> Given:
        """Ask for one thing and wait for its answer; raises what ``work`` raises for it."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Given] = loop.create_future()
        self._waiting.append(_Waiting(asked, answer, tracing.current()))
        if len(self._waiting) >= self._most:
            self._go()
        elif self._timer is None:
            self._timer = loop.call_later(self._wait_s, self._go)
        return await answer

    def _go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # Whoever was cancelled meanwhile asks for nothing any more.
        batch = [one for one in self._waiting if not one.answer.done()]
        self._waiting = []
        if batch:
            task = asyncio.create_task(self._answer(batch), context=self._context.copy())
            self._going.add(task)  # the event loop alone would not keep it
            task.add_done_callback(self._going.discard)

    async def _answer(self, batch: list[_Waiting[Asked, Given]]) -> None:
        try:
            with tracing.together(self._name, [one.span for one in batch]):
                given = await self._work([one.asked for one in batch])
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            if len(batch) > 1 and not isinstance(error, Transient):
                await asyncio.gather(
                    *(self._answer([one]) for one in batch if not one.answer.done())
                )
                return
            for one in batch:
                if not one.answer.done():
                    one.answer.set_exception(error)
        except BaseException:  # the event loop ends
            for one in batch:
                one.answer.cancel()
            raise
        else:
            for one, found in zip(batch, given, strict=True):
                if not one.answer.done():
                    one.answer.set_result(found)
