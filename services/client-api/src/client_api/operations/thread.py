"""Blocking work in a daemon thread, which a process that ends does not wait for."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_a_thread(work: Callable[[], T], name: str) -> "asyncio.Future[T]":
    """Run ``work`` in a thread of its own; the future has its result or its error.

    Nothing stops the thread: whoever cancels the future only stops waiting.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def succeed(result: T) -> None:
        if not outcome.done():
            outcome.set_result(result)

    def fail(error: Exception) -> None:
        if not outcome.done():
            outcome.set_exception(error)

    def tell(told: Callable[[], None]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(told)

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - it is raised where the outcome is asked for
            wrong = error
            tell(lambda: fail(wrong))
        else:
            tell(lambda: succeed(result))

    threading.Thread(target=run, name=name, daemon=True).start()
    return outcome
