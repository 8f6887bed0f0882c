"""The books balance: every client's score equals a direct computation, whatever was killed."""

import os
import random
from datetime import UTC, datetime

import pytest

from stack.launcher import Stack
from tests.e2e import books, cdnow

KILLS = 5

pytestmark = pytest.mark.timeout(1_200)


def assert_books_balance(stack: Stack, history: list[cdnow.Purchase]) -> None:
    """Compare every stored score with the reference, and the counts with one another."""
    orders = books.agreed(stack)
    expected = cdnow.by_client(history)
    assert {c: sorted(some) for c, some in orders.items()} == {
        c: sorted(some) for c, some in expected.items()
    }
    assert books.served_hash(stack) == books.reference_hash(stack, orders)

    told = books.read(stack, *books.LANES)
    assert {message.key() for message in told} == {f"{i}/client".encode() for i in expected} | {
        f"{purchase.client_id}/order/{purchase.order_id}".encode() for purchase in history
    }
    scored = {message.key() for message in books.read(stack, "client.scores")}
    assert scored == {str(i).encode() for i in expected}
    counts = books.stats(stack)
    assert counts["clients"]["total"] == len(expected)
    assert counts["orders"]["total"] == len(history)
    assert sum(counts["clients"]["by_state"].values()) == len(expected)


def test_live_load_with_kills(new_stack):
    """All of CDNOW, loaded with capture on; relay, scorer and mailer are killed five times each.

    No row and no episode is lost, none is counted or told twice.
    """
    seed = int(os.environ.get("SEED", random.randrange(2**32)))
    print(f"seed {seed}: set SEED to run it again")
    chance = random.Random(seed)
    stack: Stack = new_stack()
    stack.start()
    history = cdnow.purchases(datetime.now(UTC).date())
    lines = cdnow.order_lines(history)
    requests = -(-len(lines) // books.BULK_ROWS)
    victims = ["relay", "scorer", "mailer"] * KILLS
    chance.shuffle(victims)
    at = sorted(chance.sample(range(requests), len(victims)))
    plan = dict(zip(at, victims, strict=True))
    done = iter(range(requests))

    def between() -> None:
        victim = plan.get(next(done))
        if victim is not None:
            stack.parts.kill(victim)
            stack.parts.restart(victim)

    books.load(stack, "/api/clients/bulk", cdnow.client_lines(history))
    books.load(stack, "/api/orders/bulk", lines, between)
    assert_books_balance(stack, history)
    books.assert_episodes_fit(stack)
