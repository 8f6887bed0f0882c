"""Which errors of Postgres pass by themselves, and how often that is believed."""

import asyncpg
import pytest

from common.errors import Transient
from mailer import database
from mailer.database import persistently

PASSING = (
    ConnectionResetError(),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.InternalClientError("got result for unknown protocol state"),
    asyncpg.ConnectionDoesNotExistError(),
    asyncpg.DeadlockDetectedError(),
    asyncpg.IdleInTransactionSessionTimeoutError(),
    asyncpg.CannotConnectNowError(),
)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch):
    """Try again at once."""

    async def at_once(_seconds: float) -> None:
        pass

    monkeypatch.setattr(database.asyncio, "sleep", at_once)


class Work:
    """Fails so many times, then succeeds."""

    def __init__(self, error: Exception, times: int) -> None:
        """Fail with ``error``."""
        self.error = error
        self.times = times
        self.tries = 0

    async def __call__(self) -> str:
        """Do it once."""
        self.tries += 1
        if self.tries <= self.times:
            raise self.error
        return "done"


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
async def test_what_passes_is_tried_again(error):
    """A server that is away, or a connection cut in mid-message, costs another try."""
    seen: list[Exception] = []
    work = Work(error, 2)
    assert await persistently(work, seen.append) == "done"
    assert (work.tries, len(seen)) == (3, 2)


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
async def test_what_does_not_pass_in_time_is_transient(error):
    """The tries are bounded; then whoever runs the service decides."""
    work = Work(error, database.TRIES)
    with pytest.raises(Transient, match=type(error).__name__):
        await persistently(work, lambda _: None)
    assert work.tries == database.TRIES


@pytest.mark.parametrize("error", [asyncpg.UniqueViolationError(), KeyError("x")])
async def test_what_is_wrong_stays_wrong(error):
    """An error that trying again cannot mend is raised as it is, at once."""
    work = Work(error, 1)
    with pytest.raises(type(error)):
        await persistently(work, lambda _: None)
    assert work.tries == 1
