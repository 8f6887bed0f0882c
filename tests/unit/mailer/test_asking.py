"""A claim is asked for when a slot, the gate and the budget allow it, and not otherwise."""

import asyncio
from datetime import date
from decimal import Decimal

import structlog

from mailer.metrics import Metrics
from mailer.model.budget import Limits, Spent
from mailer.model.gate import Gate
from mailer.model.grants import Grant
from mailer.model.openrouter import Call
from mailer.model.replies import Receipt
from mailer.model.verdicts import Answer
from mailer.words.prompt import facts_of, messages_for
from mailer.writing.asking import Asked, Asker, NotAsked
from mailer.writing.claims import Claim

CLAIM = Claim("1:2026-01-01", 1, 1, 1, 0, date(2026, 1, 1), 1)
MESSAGES = messages_for(facts_of("Anna", [], [], 60))
LOG = structlog.stdlib.get_logger("test")


class FakeModel:
    """A model whose calls end when they are told to; grants that are too old are not used."""

    def __init__(self, late=0):
        """Let so many calls come too late."""
        self.late = late
        self.busy = self.most = 0
        self.four = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def complete(self, messages, send_before=None):
        """Ask."""
        assert messages == MESSAGES
        if self.late:
            self.late -= 1
            return None
        self.busy += 1
        self.most = max(self.most, self.busy)
        if self.busy == 4:
            self.four.set()
        await self.go.wait()
        self.busy -= 1
        return Call(Answer("{}"), Receipt(200), 1)


class FakeGrants:
    """Grants that are given, or not."""

    def __init__(self, spent=None, limits=None):
        """Answer ``spent``, where there is one."""
        self.limits = limits or Limits()
        self.spent = spent
        self.given = 0
        self.back = []

    async def begin(self, *_):
        """Grant a call."""
        self.given += 1
        return self.spent or Grant(self.given, None)

    async def room(self, need):
        """Tell what there is."""
        assert need.tokens > 0
        return self.spent or 3

    async def give_up(self, call_id):
        """Take a grant back."""
        self.back.append(call_id)


async def fine():
    """A probe that finds nothing wrong."""


def asker_of(model=None, grants=None, concurrency=4):
    """An asker with its gate."""
    gate = Gate(fine, 1.0, LOG)
    model, grants = model or FakeModel(), grants or FakeGrants()
    return Asker(model, gate, grants, concurrency, metrics=Metrics(), log=LOG), gate


async def test_no_more_calls_are_in_flight_than_there_are_slots():
    """Claims ahead wait for a slot, so that none is empty; the slots are never more."""
    model = FakeModel()
    model.go.clear()
    asker, gate = asker_of(model)
    ticket = gate.take(asker.claims_max)
    assert asker.claims_max == 5
    asked = [
        asyncio.create_task(asker.ask(CLAIM, ticket, MESSAGES)) for _ in range(asker.claims_max)
    ]
    await asyncio.wait_for(model.four.wait(), 10)
    model.go.set()
    found = await asyncio.gather(*asked)
    assert all(isinstance(one, Asked) for one in found)
    assert model.most == 4


async def test_a_closed_gate_gives_claims_back():
    """What was claimed before the gate closed is not asked."""
    grants = FakeGrants()
    asker, gate = asker_of(grants=grants)
    ticket = gate.take(1)
    gate.close("the key was refused")
    assert isinstance(await asker.ask(CLAIM, ticket, MESSAGES), NotAsked)
    assert grants.given == 0


async def test_a_mailer_that_stops_begins_nothing():
    """Once it is told to stop, only calls in flight go on."""
    grants = FakeGrants()
    asker, gate = asker_of(grants=grants)
    asker.stop()
    found = await asker.ask(CLAIM, gate.take(1), MESSAGES)
    assert isinstance(found, NotAsked)
    assert "stops" in found.reason
    assert grants.given == 0


async def test_a_spent_budget_gives_the_claim_back_and_holds_everybody():
    """Without a grant nothing is asked, by nobody, until the budget may allow it."""
    spent = Spent("20 requests a minute are used up", 30.0, lasting=False)
    asker, gate = asker_of(grants=FakeGrants(spent, Limits(20)))
    found = await asker.ask(CLAIM, gate.take(1), MESSAGES)
    assert isinstance(found, NotAsked)
    assert "20 requests a minute" in found.reason
    assert gate.allowance(4) == 0
    assert gate.check() is None, "a minute's wait is no trouble"


async def test_a_lasting_want_shows_in_readiness():
    """Money that is spent for the day is for people to see."""
    spent = Spent("the day's 5 USD are spent", 3_000.0, lasting=True)
    asker, gate = asker_of(grants=FakeGrants(spent, Limits(tokens_per_minute=9_000)))
    assert await asker.room(4) == 0
    assert "5 USD" in str(gate.check())


async def test_a_grant_that_ran_out_is_given_up_and_asked_for_anew():
    """A call that came too late is not made; after a few of these the claim goes back."""
    grants = FakeGrants()
    asker, gate = asker_of(FakeModel(late=2), grants)
    found = await asker.ask(CLAIM, gate.take(1), MESSAGES)
    assert isinstance(found, Asked)
    assert (found.call_id, grants.back) == (3, [1, 2])
    asker, gate = asker_of(FakeModel(late=9), grants)
    assert isinstance(await asker.ask(CLAIM, gate.take(1), MESSAGES), NotAsked)


async def test_room_is_what_the_budget_leaves():
    """Where there are limits no more is claimed than may be asked; without, as much as wanted."""
    asker, _ = asker_of(grants=FakeGrants(limits=Limits(cost_per_day_usd=None)))
    assert await asker.room(100) == 100
    asker, _ = asker_of(grants=FakeGrants(limits=Limits(20, None, None)))
    assert asker.claims_max == 4, "nothing is claimed ahead"
    assert await asker.room(100) == 3
    assert await asker.room(0) == 0
    assert Limits(cost_per_day_usd=Decimal(1)).any
