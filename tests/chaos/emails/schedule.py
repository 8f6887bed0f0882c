"""One schedule: what clients and people do, what harm comes meanwhile, and what the books say."""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from typing import NamedTuple

import httpx

from stack.tokens import As
from tests.chaos.emails import plan
from tests.chaos.emails.books import Books
from tests.chaos.emails.checker import check
from tests.chaos.emails.evidence import Away
from tests.chaos.emails.harm import Harms
from tests.chaos.emails.plan import Plan
from tests.chaos.emails.running import Running
from tests.chaos.emails.trade import Trade

SETTLED_LIMIT_S = 180.0
"""For a machine under load; what is not at rest by then is lost or stuck."""
LOOK_AGAIN_S = 0.3
HTTP_LIMIT_S = 10.0


class Outcome(NamedTuple):
    """What came of one schedule."""

    episodes: int
    """Of this schedule's clients."""
    ends: Counter[str]
    """The states in which they rest."""
    harms: Counter[str]
    revived: Counter[str]
    findings: dict[str, list[str]]
    """By kind, about all clients of the run until now."""
    books: Books
    seconds: float

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not any(self.findings.values())


def run(running: Running, seed: int, number: int) -> Outcome:
    """Run schedule ``number`` of ``seed`` on a running stack; its clients are its own."""
    today = running.stack.business_now().astimezone(UTC).date()
    planned = plan.make(seed, number, today, running.rules, delivery=running.delivery)
    return carry_out(running, planned, number, random.Random(f"{seed}:{number}:harm"))


def carry_out(running: Running, planned: Plan, number: int, chance: random.Random) -> Outcome:
    """Carry a plan out, and wait until the books balance; ``chance`` is the harm's."""
    began, stack = time.monotonic(), running.stack
    troubles = {
        person.client: {**person.trouble, "contains": person.name}
        for person in planned.people
        if person.trouble
    }
    running.model.begin(troubles, planned.passing)
    harms = Harms(stack, chance, running.journal, running.model, number)
    with (
        httpx.Client(
            base_url=stack.api_url, auth=As(stack.issuer_url), trust_env=False, timeout=HTTP_LIMIT_S
        ) as http,
        ThreadPoolExecutor(1) as pool,
    ):
        harming = pool.submit(harms.run, planned, began)
        Trade(http, running.journal, running.model, number).run(planned, began)
        harming.result()
    books, findings = _settled(running, harms)
    own = {person.client for person in planned.people}
    ends = Counter(row["state"] for row in books.episodes if row["client_id"] in own)
    return Outcome(
        ends.total(), ends, harms.done, harms.revived, findings, books, time.monotonic() - began
    )


def _settled(running: Running, harms: Harms) -> tuple[Books, dict[str, list[str]]]:
    """Wait until the books balance, at most so long; return them, and what is wrong."""
    deadline = time.monotonic() + SETTLED_LIMIT_S
    while True:
        harms.revive()
        late = time.monotonic() > deadline
        try:
            books = running.evidence.gather()
        except Away:
            if late:
                raise
        else:
            findings = check(books)
            if late or not any(findings.values()):
                return books, findings
        time.sleep(LOOK_AGAIN_S)
