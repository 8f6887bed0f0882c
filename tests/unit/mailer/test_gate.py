"""The gate tells everybody's trouble from one prompt's, and lets old news change nothing."""

import asyncio

import structlog

from mailer.model.gate import FAILURES_IN_A_ROW, MISROUTED_IN_A_ROW, REFUSED_IN_A_ROW, Gate


async def fine() -> None:
    """A probe that finds nothing wrong."""


def gate_of(base_s: float = 0.001) -> Gate:
    """A gate whose probes find nothing wrong."""
    return Gate(fine, base_s, structlog.stdlib.get_logger("test"))


async def trial(gate: Gate) -> None:
    """Let a closed gate open on trial."""
    opened = asyncio.Event()
    run = asyncio.create_task(gate.run(opened.set))
    await asyncio.wait_for(opened.wait(), 10)
    run.cancel()


def test_an_outage_is_many_failures_of_several_episodes():
    """Failures in a row close the gate; those before were attempts, those that close it are not."""
    gate = gate_of()
    ticket = gate.take(8)
    excused = [
        gate.struggled(ticket, f"episode {n % 2}", "trouble", None)
        for n in range(FAILURES_IN_A_ROW)
    ]
    assert excused == [False] * (FAILURES_IN_A_ROW - 1) + [True]
    assert "outage" in str(gate.check())
    assert gate.allowance(8) == 0
    assert gate.struggled(ticket, "another", "trouble", None), "a late failure is nobody's attempt"


def test_one_prompt_alone_is_no_outage():
    """However often one episode fails, the others go on."""
    gate = gate_of()
    ticket = gate.take(1)
    for _ in range(3 * FAILURES_IN_A_ROW):
        assert not gate.struggled(ticket, "the one", "trouble", None)
    assert gate.allowance(8) == 8


def test_an_answer_ends_a_row_of_failures():
    """Failures between answers are no outage."""
    gate = gate_of()
    ticket = gate.take(8)
    for n in range(5 * FAILURES_IN_A_ROW):
        assert not gate.struggled(ticket, f"episode {n}", "trouble", None)
        if n % (FAILURES_IN_A_ROW - 1) == 0:
            gate.worked(ticket)
    assert gate.check() is None


def test_a_few_wrong_answerers_close_the_gate():
    """When another model answers one episode after another, the backlog is kept."""
    gate = gate_of()
    ticket = gate.take(8)
    told = [
        gate.refused(ticket, f"episode {n}", "another model", misrouted=True)
        for n in range(MISROUTED_IN_A_ROW)
    ]
    assert told == [False] * (MISROUTED_IN_A_ROW - 1) + [True]
    assert "another model" in str(gate.check())


def test_many_refused_requests_close_the_gate():
    """When one episode's request after another is refused, that is no episode's own fault."""
    gate = gate_of()
    ticket = gate.take(20)
    told = [
        gate.refused(ticket, f"episode {n}", "the request was refused", misrouted=False)
        for n in range(REFUSED_IN_A_ROW)
    ]
    assert told == [False] * (REFUSED_IN_A_ROW - 1) + [True]


async def test_old_calls_open_nothing():
    """A call that began before the gate closed says nothing of how things stand now."""
    gate = gate_of()
    old = gate.take(8)
    gate.close("the key was refused")
    gate.worked(old)
    assert gate.check() == "paused: the key was refused"
    await trial(gate)
    assert not gate.admits(old), "a claim from before is given back"
    gate.worked(old)
    assert gate.allowance(8) == 1, "still on trial"
    now = gate.take(1)
    assert gate.allowance(8) == 0, "one trial at a time"
    assert gate.struggled(old, "old", "trouble", None)
    assert gate.check() is None, "an old failure does not end a trial"
    gate.worked(now)
    assert gate.allowance(8) == 8


async def test_a_trial_that_fails_closes_again():
    """Whatever goes wrong on trial, it is nobody's attempt, and the gate closes."""
    for refused in (True, False):
        gate = gate_of()
        gate.close("trouble")
        await trial(gate)
        ticket = gate.take(1)
        if refused:
            assert gate.refused(ticket, "one", "refused", misrouted=False)
        else:
            assert gate.struggled(ticket, "one", "trouble", None)
        assert gate.check() is not None


async def test_a_trial_without_a_call_waits_for_the_next():
    """A claim that ends without asking leaves the trial to another."""
    gate = gate_of()
    gate.close("trouble")
    await trial(gate)
    ticket = gate.take(1)
    gate.leave(ticket)
    assert gate.allowance(8) == 1


def test_a_wait_holds_everybody_and_lasting_ones_are_told():
    """Nobody begins before a wait is over; readiness tells of those that last."""
    gate = gate_of()
    ticket = gate.take(8)
    gate.hold(60)
    assert gate.allowance(8) == 0
    assert not gate.admits(ticket)
    assert gate.check() is None
    gate.hold(60, "the day's money is spent")
    assert gate.check() == "the day's money is spent"
