"""At start what is not there yet is asked again; what answers that we are wrong is not."""

from collections.abc import Callable, Iterator

import pytest
import stamina

from common.errors import Misconfigured, Transient, Unreachable
from common.starting import patiently, patiently_async


@pytest.fixture(autouse=True)
def _without_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=5):
        yield


def _answering(*refusals: Exception) -> tuple[Callable[[], int], list[int]]:
    """Return what refuses so many times before it answers, and where it counts its calls."""
    calls: list[int] = []
    left = list(refusals)

    def ask() -> int:
        calls.append(len(calls) + 1)
        if left:
            raise left.pop(0)
        return calls[-1]

    return ask, calls


def test_nobody_there_is_asked_again_until_somebody_answers() -> None:
    """Neither an address at which nobody is, nor a moment's trouble, ends the wait."""
    ask, _ = _answering(Unreachable("nobody"), Transient("not now"), Unreachable("nobody"))
    assert patiently(60)(ask) == 4


async def test_a_coroutine_is_asked_again_too() -> None:
    """Both ways wait alike."""
    ask, _ = _answering(Unreachable("nobody"))

    async def answer() -> int:
        return ask()

    assert await patiently_async(60)(answer) == 2


def test_who_answers_that_we_are_wrong_is_asked_once() -> None:
    """A wrong password does not become right."""
    ask, calls = _answering(Misconfigured("wrong password"))
    with pytest.raises(Misconfigured, match="wrong password"):
        patiently(60)(ask)
    assert calls == [1]


def test_without_a_wait_the_first_answer_counts() -> None:
    """A person at a terminal sees at once that nobody is there."""
    with stamina.set_testing(False):
        ask, calls = _answering(Unreachable("nobody"), Unreachable("nobody"))
        with pytest.raises(Unreachable, match="nobody"):
            patiently(0)(ask)
    assert calls == [1]
