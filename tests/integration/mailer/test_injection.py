"""Client text that gives orders, through a real mailer to a model that obeys: nothing is stored.

The texts are those of ``tests/injections.py``, in every column from which a prompt takes text.
"""

import itertools
import json
from typing import Any

import pytest

from tests.injections import FIELDS, INJECTIONS, Injection
from tests.integration.mailer.world import World, until

HONEST = 5
LIMIT_S = 240.0
AT_ONCE = 64
OBEY = {"kind": "obey"}

pytestmark = pytest.mark.timeout(600)


async def client_with(world: World, injection: Injection, field: str) -> int:
    """Make a client who has the text in one column and nothing odd in the others."""
    text = injection.text
    row: dict[str, Any] = {"style_tags": [text, "jazz"]} if field == "style_tags" else {}
    name = text if field == "first_name" else "Anna"
    client = await world.client(name, **row)
    if field == "categories":
        await world.db.execute("UPDATE orders SET category = $2 WHERE client_id = $1", client, text)
    return client


async def all_in(world: World, states: dict[str, str]) -> None:
    """Wait until each episode is in its state."""

    async def there() -> bool:
        rows = await world.db.fetch(
            "SELECT id, state FROM episodes WHERE id = ANY ($1)", list(states)
        )
        return {row["id"]: row["state"] for row in rows} == states

    await until(there, LIMIT_S)


def prompts_of(world: World) -> list[str]:
    """The client's part of every prompt that the model was sent."""
    asked = (entry["request"]["messages"] for entry in world.model.journal())
    return [message["content"] for messages in asked for message in messages[1:]]


async def texts_of(world: World, episode: str) -> str:
    """What is stored of an episode's email."""
    email = await world.email(episode)
    return "\n".join([email["subject"], email["body"], email["facts_used"]])


async def test_nothing_that_clients_ask_for_is_stored(world: World):
    """With a model that obeys, each such client's episode is rejected, with reasons; others' are
    written. With an honest model all are written, and hold nothing of it.
    """
    await world.policy()
    await world.model.faults({"kind": "none", "contains": '"honest"'}, OBEY)
    await world.run(MAILER_CONCURRENCY=AT_ONCE)
    asked: dict[str, Injection] = {}
    for injection, field in itertools.product(INJECTIONS, FIELDS):
        asked[world.opened(await client_with(world, injection, field))] = injection
    honest = [
        world.opened(await world.client("Anna", style_tags=["honest"])) for _ in range(HONEST)
    ]
    await all_in(world, dict.fromkeys(asked, "rejected") | dict.fromkeys(honest, "written"))
    stored = await world.db.fetch(
        "SELECT episode_id FROM emails WHERE episode_id = ANY ($1)", [*asked]
    )
    assert stored == []
    for episode in asked:
        row = await world.row("SELECT reason FROM episodes WHERE id = $1", episode)
        assert row["reason"].startswith("no usable text in 2 tries: "), row["reason"]
        outcomes = [call["outcome"] for call in await world.calls(episode)]
        assert len(outcomes) == 2
        assert all(outcome.startswith("unusable: ") for outcome in outcomes), outcomes

    await world.model.faults()
    for episode in asked:
        await world.db.execute(
            "INSERT INTO decisions (episode_id, action, actor, payload)"
            " VALUES ($1, 'retry', 'Pat', '{}')",
            episode,
        )
    await all_in(world, dict.fromkeys(asked, "written"))
    for episode, injection in asked.items():
        assert injection.leaked_in(await texts_of(world, episode)) == [], injection
    prompts = prompts_of(world)
    assert len(prompts) == 3 * len(asked) + HONEST
    for injection, prompt in itertools.product(INJECTIONS, prompts):
        assert injection.text not in prompt
        assert json.dumps(injection.text, ensure_ascii=False) not in prompt
    await world.check_the_sums()


async def test_an_order_that_came_true_is_rejected(world: World):
    """Whatever a model adds because a client asked for it, the email that holds it is rejected."""
    await world.policy()
    marks = [f"style {first}{second}" for first, second in itertools.product("abcdefgh", repeat=2)]
    obeying: list[dict[str, Any]] = [
        {
            "kind": "text",
            "contains": f'"{mark}"',
            "body": (
                "Hello Anna,\n\nIt was about two months ago that you were with us, and we hope that"
                f" you are well. {injection.obeyed}\n\nCome by whenever you like."
            ),
        }
        for mark, injection in zip(marks, INJECTIONS, strict=False)
    ]
    await world.model.faults(*obeying)
    await world.run(MAILER_CONCURRENCY=AT_ONCE)
    episodes = [
        world.opened(await world.client("Anna", style_tags=[mark]))
        for mark, _ in zip(marks, INJECTIONS, strict=False)
    ]
    other = world.opened(await world.client("Anna", style_tags=["honest"]))
    assert len(episodes) == len(INJECTIONS)
    await all_in(world, dict.fromkeys(episodes, "rejected") | {other: "written"})
    assert await world.db.fetchval("SELECT count(*) FROM emails") == 1
    await world.check_the_sums()
