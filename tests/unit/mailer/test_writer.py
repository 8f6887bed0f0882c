"""What becomes of an episode whose call brought no text."""

import asyncio
from datetime import date

import pytest
import structlog

from mailer.episodes.ledger import Change
from mailer.episodes.standing import Profile
from mailer.model.gate import Gate
from mailer.model.openrouter import Call
from mailer.model.replies import Receipt
from mailer.model.verdicts import Failed, Misrouted, Retry, Verdict
from mailer.writing.asking import Asked
from mailer.writing.claims import Claim
from mailer.writing.writer import Writer

CLAIM = Claim("1:2026-01-01", 1, 1, 1, 0, date(2026, 1, 1), 1)
LOG = structlog.stdlib.get_logger("test")


class FakeAsker:
    """Asks a model that always says the same."""

    def __init__(self, verdict: Verdict):
        """Say ``verdict``."""
        self.verdict = verdict

    async def ask(self, *_):
        """Ask."""
        return Asked(1, Call(self.verdict, Receipt(503), 1))


class FakeResults:
    """Notes what becomes of the claim."""

    changes: list[Change]

    def __init__(self):
        """Begin with nothing."""
        self.changes = []

    async def look(self, _):
        """Nothing is in the way."""
        return Profile("Anna", [], []), 0

    async def settle(self, _, change, __):
        """Note it."""
        self.changes.append(change)


class FakeDays:
    """Any day will do."""

    def today(self):
        """Return a day's number."""
        return 20_600


async def fine():
    """A probe that finds nothing wrong."""


@pytest.mark.parametrize("verdict", [Retry("busy"), Failed("no"), Misrouted("another")])
async def test_the_next_trial_is_another_episodes(verdict):
    """Whoever fails on trial waits beyond the next one: it may be the only one that fails."""
    gate, results = Gate(fine, 0.001, LOG), FakeResults()
    gate.close("trouble")
    opened = asyncio.Event()
    run = asyncio.create_task(gate.run(opened.set))
    await asyncio.wait_for(opened.wait(), 10)
    run.cancel()
    writer = Writer(FakeAsker(verdict), gate, results, FakeDays(), retry_base_s=1.0, log=LOG)
    await writer.write(CLAIM, gate.take(1))
    (change,) = results.changes
    assert (change.target, change.attempts) == ("pending", -1)
    assert change.wait_s is not None
    assert change.wait_s > gate.probe_wait_s
