"""Emails under faults: a few seeded schedules on one running stack, and a checker that sees.

``make chaos`` runs two hundred of them.
"""

import os
import random
from collections.abc import Iterator
from datetime import UTC

import pytest

from tests.chaos.emails import plan, schedule
from tests.chaos.emails.checker import KINDS, check
from tests.chaos.emails.planted import PLANTS, Victims
from tests.chaos.emails.running import Running, started

SCHEDULES = 3
CALM = 900
"""The number of the schedule without harm: far from those of the others, as are its clients."""

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A running system with two mailers, a sandbox model and a mail sink."""
    with started(tmp_path_factory.mktemp("chaos") / "run", delivery=True) as stack:
        yield stack


@pytest.fixture(scope="module")
def seed() -> int:
    """A new seed, unless one is set."""
    found = int(os.environ.get("SEED", random.randrange(2**32)))
    print(f"seed {found}: set SEED to run it again")
    return found


def test_the_books_balance_under_faults_and_what_is_planted_is_found(running: Running, seed: int):
    """Nothing is lost, double, without cause, mixed up, too late or stuck; then each kind is
    planted in real rows, and the checker finds it.
    """
    for number in range(SCHEDULES):
        outcome = schedule.run(running, seed, number)
        print(f"schedule {number}: {outcome.seconds:.1f} s {dict(outcome.harms)} {outcome.ends}")
        assert outcome.well, outcome.findings

    today = running.stack.business_now().astimezone(UTC).date()
    planned = plan.calm(seed, CALM, today, running.rules)
    outcome = schedule.carry_out(running, planned, CALM, random.Random(seed))
    assert outcome.well, outcome.findings

    plain = [person.client for person in planned.people if person.fate == "plain"]
    [withdrawn] = {act.person.client for act in planned.acts if act.act == "withdraw"}
    victims = Victims(*plain[:3], withdrawn)
    for kind in KINDS:
        assert not check(running.evidence.gather())[kind]
        PLANTS[kind](running, outcome.books, victims)
        assert check(running.evidence.gather())[kind], f"{kind} was planted and not found"
