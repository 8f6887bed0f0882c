"""What people decide is applied once, or refused with a reason."""

import asyncio
import time

from tests.integration.mailer.world import World

WORDS = {
    "subject": "A word from me",
    "body": "Dear Anna, come by some day; the shop is not the same without you, and I mean it.",
}


async def test_a_held_episode_is_released(world: World):
    """An old crossing is held until a person releases it; then it is written once, at once."""
    await world.policy()
    await world.run()
    episode = world.opened(await world.client(), crossing_day=20_000)
    await world.reach(episode, "held")
    began = time.monotonic()
    outcome = await world.decide(episode, "release")
    assert outcome["outcome"] == "applied"
    assert time.monotonic() - began < 3, "it was polled for, not announced"
    await world.reach(episode, "written")
    assert await world.path(episode) == ["held", "pending", "writing", "draft", "written"]
    assert (await world.decide(episode, "release"))["outcome"] == "refused"
    assert len(await world.calls(episode)) == 1
    history = await world.row(
        "SELECT * FROM episode_history WHERE episode_id = $1 AND from_state = 'held'", episode
    )
    assert history["actor"] == "Pat"
    await world.check_the_sums()


async def test_decisions_made_while_nobody_listened(world: World):
    """A decision made while no mailer ran is applied by the next one."""
    await world.policy()
    mailer = await world.run()
    episode = world.opened(await world.client(), crossing_day=20_000)
    await world.reach(episode, "held")
    mailer.stop()
    waiting = asyncio.create_task(world.decide(episode, "release"))
    await world.run()
    assert (await waiting)["outcome"] == "applied"
    await world.reach(episode, "written")


async def test_a_draft_is_edited_and_approved(world: World):
    """Without approval by policy, a person edits and approves the very text that is there."""
    await world.policy(auto_approve=False)
    await world.run()
    episode = world.opened(await world.client())
    await world.reach(episode, "draft")
    first = await world.email(episode)
    edited = await world.decide(episode, "edit", draft_hash=first["draft_hash"], payload=WORDS)
    assert edited["outcome"] == "applied"
    second = await world.email(episode)
    assert second["subject"] == WORDS["subject"]
    stale = await world.decide(episode, "approve", draft_hash=first["draft_hash"])
    assert (stale["outcome"], await world.state(episode)) == ("refused", "draft")
    assert "another text" in stale["reason"]
    done = await world.decide(episode, "approve", draft_hash=second["draft_hash"])
    assert (done["outcome"], await world.state(episode)) == ("applied", "written")
    assert (await world.email(episode))["body"] == WORDS["body"]
    await world.check_the_sums()


async def test_a_draft_is_rejected_and_retried(world: World):
    """A rejected draft is written anew when a person says so."""
    await world.policy(auto_approve=False)
    await world.run()
    episode = world.opened(await world.client())
    await world.reach(episode, "draft")
    text = (await world.email(episode))["draft_hash"]
    assert (await world.decide(episode, "reject", draft_hash=text))["outcome"] == "applied"
    assert await world.state(episode) == "rejected"
    assert (await world.decide(episode, "retry"))["outcome"] == "applied"
    await world.reach(episode, "draft")
    assert len(await world.calls(episode)) == 2
    await world.check_the_sums()


async def test_approval_looks_again(world: World):
    """A draft whose client ordered meanwhile is not approved, but recovered."""
    await world.policy(auto_approve=False)
    await world.run()
    client = await world.client()
    episode = world.opened(client)
    await world.reach(episode, "draft")
    await world.order(client)
    text = (await world.email(episode))["draft_hash"]
    outcome = await world.decide(episode, "approve", draft_hash=text)
    assert "not approved" in outcome["reason"]
    assert await world.state(episode) == "recovered"
    await world.check_the_sums()


async def test_what_does_not_fit_is_refused(world: World):
    """Unknown episodes, wrong states and empty edits are refused, with the reason."""
    await world.policy(auto_approve=False)
    await world.run()
    assert "no such episode" in (await world.decide("1-1", "release"))["reason"]
    episode = world.opened(await world.client())
    await world.reach(episode, "draft")
    text = (await world.email(episode))["draft_hash"]
    for action, row in (
        ("release", {}),
        ("retry", {}),
        ("approve", {}),
        ("edit", {"draft_hash": text, "payload": {"subject": "x"}}),
        ("edit", {"draft_hash": text, "payload": {"subject": "Short", "body": "x"}}),
        ("edit", {"draft_hash": text, "payload": {**WORDS, "subject": "a\nBcc: b"}}),
    ):
        assert (await world.decide(episode, action, **row))["outcome"] == "refused", (action, row)
    assert await world.state(episode) == "draft"


async def test_two_mailers_apply_a_decision_once(world: World):
    """With two mailers listening, each decision has one outcome and one effect."""
    await world.policy(emails={"release_per_minute": 6000})
    await asyncio.gather(world.run(), world.run())
    episodes = [world.opened(await world.client(), crossing_day=20_000) for _ in range(10)]
    for episode in episodes:
        await world.reach(episode, "held")
        assert (await world.decide(episode, "release"))["outcome"] == "applied"
    for episode in episodes:
        await world.reach(episode, "written")
        assert (await world.path(episode)).count("pending") == 1
    await world.check_the_sums()
