"""One schedule: a seeded trade with seeded faults, and whether the books balance afterwards."""

import random
import time
from collections import Counter
from typing import NamedTuple

import httpx

from stack.launcher import Stack
from stack.tokens import As
from tests.chaos.faults import KINDS, Faults
from tests.chaos.trade import Trade, send
from tests.e2e import books

FAULTS_MIN, FAULTS_MAX = 1, 3
SETTLED_LIMIT_S = 180.0


class Outcome(NamedTuple):
    """What came of one schedule."""

    kills: int
    faults: Counter[str]
    revived: Counter[str]
    lost: list[str]
    """Rows that no score knows, and clients at risk without an episode."""
    double: list[str]
    """Episodes that no silence stands behind, and second texts."""
    mismatched: list[str]
    """Scores, states and crossing days that are not the reference's."""
    seconds: float

    @property
    def well(self) -> bool:
        """Whether nothing is lost, double or wrong."""
        return not (self.lost or self.double or self.mismatched)


def run(stack: Stack, seed: int, number: int) -> Outcome:
    """Run schedule ``number`` of ``seed`` on a running stack; its clients are its own."""
    began = time.monotonic()
    chance = random.Random(f"{seed}:{number}")
    requests = list(Trade(number, chance).requests())
    faults = Faults(stack, chance)
    kinds = chance.choices(
        list(KINDS), weights=list(KINDS.values()), k=chance.randint(FAULTS_MIN, FAULTS_MAX)
    )
    plan = dict(zip(chance.sample(range(len(requests)), len(kinds)), kinds, strict=True))
    with httpx.Client(
        base_url=stack.api_url, auth=As(stack.issuer_url), trust_env=False, timeout=60
    ) as client:
        for place, request in enumerate(requests):
            send(client, request)
            if place in plan:
                faults.strike(plan[place])
                faults.revive()
    lost, double, mismatched = _books(stack, faults)
    return Outcome(
        faults.kills,
        faults.done,
        faults.revived,
        lost,
        double,
        mismatched,
        time.monotonic() - began,
    )


def _books(stack: Stack, faults: Faults) -> tuple[list[str], list[str], list[str]]:
    """Wait until the books balance, at most so long; return what is lost, double and wrong."""
    deadline = time.monotonic() + SETTLED_LIMIT_S
    while True:
        faults.revive()
        late = time.monotonic() > deadline
        behind = books.unsettled(stack)
        lost = [f"{behind} clients are not scored as they stand"] if behind else []
        if not lost or late:
            orders = books.orders_of(stack)
            mismatched = books.mismatches(stack, orders)
            if not mismatched or late:
                lost += books.episodes_missing(stack)
                double = books.episodes_astray(stack)
                if not (lost or double):
                    hashes = {books.served_hash(stack), books.reference_hash(stack, orders)}
                    if len(hashes) > 1:
                        mismatched.append("the hash of the table is not the reference's")
                if late or not (lost or double or mismatched):
                    return lost, double, mismatched
        time.sleep(0.2)
