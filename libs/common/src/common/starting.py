"""What a service needs at its start may be started later: it is asked again, for a bounded time."""

import signal
from types import FrameType
from typing import TypedDict

from stamina import (
    AsyncRetryingCaller,
    BoundAsyncRetryingCaller,
    BoundRetryingCaller,
    RetryingCaller,
)

from common.errors import Transient, Unreachable

FIRST_PAUSE_S = 0.5
PAUSE_MAX_S = 8.0
NOT_YET = (Unreachable, Transient)
EXIT_TERMINATED = 128 + signal.SIGTERM


class _Bounds(TypedDict):
    attempts: int | None
    timeout: float | None
    wait_initial: float
    wait_max: float


def leave_on_sigterm() -> None:
    """Let SIGTERM end this process while it starts; who works sets a handler of their own later.

    Nothing else would end the first process of a container, which is deaf to what it handles not.
    """
    signal.signal(signal.SIGTERM, _leave)


def patiently(wait_s: float) -> BoundRetryingCaller:
    """Return what calls a function again while nobody answers it: once, or for ``wait_s`` seconds.

    Each pause is logged with its reason. What answers that we are wrong ends it at once. Raises
    what the last call raised.
    """
    return RetryingCaller(**_bounds(wait_s)).on(NOT_YET)


def patiently_async(wait_s: float) -> BoundAsyncRetryingCaller:
    """Return the same for a coroutine function."""
    return AsyncRetryingCaller(**_bounds(wait_s)).on(NOT_YET)


def _bounds(wait_s: float) -> _Bounds:
    return {
        "attempts": None if wait_s else 1,
        "timeout": wait_s or None,
        "wait_initial": FIRST_PAUSE_S,
        "wait_max": PAUSE_MAX_S,
    }


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(EXIT_TERMINATED)
