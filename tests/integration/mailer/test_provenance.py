"""What is stored with a text is enough to make its prompt anew, and to know what it passed."""

import json
from datetime import UTC

from common.clock import EPOCH, day_of
from common.score.ledger import counts
from mailer.words.checks import RULES
from mailer.words.prompt import PROMPT_VERSION, facts_of, hash_of, messages_for
from tests.integration.mailer.world import World


async def recomputed(world: World, episode: str, problems: tuple[str, ...] = ()) -> str:
    """Compute the prompt's hash from the client's rows, the evidence and the time of writing."""
    row = await world.row(
        "SELECT c.id, c.first_name, c.style_tags, e.last_order_day, m.written_as_of FROM episodes e"
        " JOIN clients c ON c.id = e.client_id JOIN emails m ON m.episode_id = e.id"
        " WHERE e.id = $1",
        episode,
    )
    orders = await world.db.fetch(
        "SELECT category, status, amount FROM orders WHERE client_id = $1"
        " ORDER BY ordered_at DESC, id DESC",
        row["id"],
    )
    categories = [o["category"] for o in orders if counts(o["status"], int(o["amount"] * 100))]
    silent = day_of(row["written_as_of"], UTC) - (row["last_order_day"] - EPOCH).days
    facts = facts_of(row["first_name"], row["style_tags"], categories, silent)
    return hash_of(messages_for(facts, problems))


async def test_the_prompt_follows_from_what_is_stored(world: World) -> None:
    """While the client's facts stay, the same prompt hash comes out of them; then another one."""
    await world.policy()
    await world.run()
    client = await world.client("Anna", style_tags=["boho", "80s"])
    episode = world.opened(client)
    await world.reach(episode, "written")
    email = await world.email(episode)
    assert email["prompt_version"] == PROMPT_VERSION
    assert email["prompt_hash"] == await recomputed(world, episode)
    assert json.loads(email["checks"]) == [rule.name for rule in RULES]
    await world.db.execute("UPDATE clients SET first_name = 'Hanna' WHERE id = $1", client)
    assert email["prompt_hash"] != await recomputed(world, episode)
