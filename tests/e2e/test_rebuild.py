"""A rebuild gives the same table: what the new generation tells is what the reference says."""

import json
import os
import random
from typing import Any

import httpx
import pytest

from stack.launcher import Stack
from stack.tokens import As
from tests.chaos.trade import Trade, send
from tests.e2e import books
from tests.e2e.operating import engage
from tests.e2e.waiting import wait_for

TEXTS = "SELECT episode_id FROM model_calls"
OF_BEFORE = "SELECT count(*) FROM score_features WHERE generation < 2"
SHOWN_LIMIT_S = 60.0
EPISODES = "SELECT id FROM episodes ORDER BY id"

pytestmark = pytest.mark.timeout(600)


def newest_scores(stack: Stack) -> dict[int, dict[str, Any]]:
    """Return what was told last of each client who was not forgotten."""
    told: dict[int, dict[str, Any]] = {}
    for message in books.read(stack, "client.scores"):
        client = int(message.key())
        if message.value() is None:
            told.pop(client, None)
        else:
            told[client] = json.loads(message.value())["data"]
    return told


def test_a_rebuilt_table_has_the_same_hash(new_stack, tmp_path):
    """After changes of every kind, a new generation reads all anew and tells the same scores.

    No episode is added, and no email is written twice.
    """
    seed = int(os.environ.get("SEED", random.randrange(2**32)))
    print(f"seed {seed}: set SEED to run it again")
    stack: Stack = new_stack()
    stack.start()
    with httpx.Client(
        base_url=stack.api_url, auth=As(stack.issuer_url), trust_env=False, timeout=60
    ) as http:
        for request in Trade(0, random.Random(seed)).requests():
            send(http, request)
    orders = books.agreed(stack)
    books.assert_episodes_fit(stack)
    expected = books.reference_hash(stack, orders)
    before = newest_scores(stack)
    assert {told["generation"] for told in before.values()} == {1}
    assert books.hash_told(before) == expected
    episodes = books.select(stack, EPISODES)

    done = engage(
        stack, "rebuild", "--yes", "--stop-when-done", "--data-dir", str(tmp_path / "rebuilt")
    )
    assert done["generation"] == 2, done
    after = newest_scores(stack)
    assert {told["generation"] for told in after.values()} == {2}
    assert books.hash_told(after) == expected

    def shown() -> bool | None:
        return True if books.select(stack, OF_BEFORE)[0][0] == 0 else None

    wait_for("the new generation's scores are served", shown, SHOWN_LIMIT_S)
    assert books.served_hash(stack) == expected
    assert books.select(stack, EPISODES) == episodes
    twice = f"{TEXTS} WHERE outcome = 'accepted' GROUP BY episode_id HAVING count(*) > 1"
    assert books.select(stack, twice) == []
