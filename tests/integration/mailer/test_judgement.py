"""People's decisions on a real Postgres: what each does, what it leaves, and when it is refused."""

import asyncio
import json

import asyncpg
import pytest

from mailer.episodes import ledger
from mailer.episodes.ledger import Change
from tests.integration.mailer.desk import NOON, Desk, later
from tests.integration.mailer.test_crashes import someone_waits
from tests.integration.mailer.world import until

WORDS = {
    "subject": "Come by",
    "body": "Dear Anna, come by some day; the shop is not the same without you, and I mean it.",
}


async def a_draft(desk: Desk, client: int | None = None) -> tuple[str, str]:
    """Make a draft; return the episode's id and the text's hash."""
    await desk.policy(auto_approve=False)
    episode = await desk.written(client or await desk.client())
    return episode, (await desk.email(episode))["draft_hash"]


async def an_uncertain_one(desk: Desk) -> str:
    """Make an email of which nobody knows whether it was sent."""
    await desk.policy()
    episode = await desk.written(await desk.client())
    async with desk.pool.acquire() as conn:
        for origin, target in (("written", "sending"), ("sending", "uncertain")):
            await ledger.move_one(conn, episode, Change(origin, target, "cut off"))
    return episode


async def test_an_edit_shows_what_it_changed(desk: Desk):
    """The difference is a unified diff with the subject on top; a refused edit has none."""
    episode, text = await a_draft(desk)
    done = await desk.decide(episode, "edit", draft_hash=text, payload=WORDS)
    assert done["outcome"] == "applied"
    assert done["difference"].splitlines()[:5] == [
        "--- draft",
        "+++ edited",
        "@@ -1,6 +1,3 @@",
        "-A word from me",
        "+Come by",
    ]
    refused = await desk.decide(episode, "edit", draft_hash=text, payload=WORDS)
    assert (refused["outcome"], refused["difference"]) == ("refused", None)


async def test_erasing_takes_the_difference_too(desk: Desk):
    """Erased, a draft is suppressed, and neither its words nor what a person wrote is left."""
    episode, text = await a_draft(desk)
    edit = await desk.decide(episode, "edit", draft_hash=text, payload=WORDS)
    assert (await desk.decide(episode, "erase"))["outcome"] == "applied"
    row = await desk.episode(episode)
    assert (row["state"], row["actor"]) == ("suppressed", "Pat")
    email = await desk.email(episode)
    assert (email["subject"], email["body"], email["facts_used"]) == ("", "", "[]")
    left = await desk.row(
        "SELECT difference FROM decision_outcomes WHERE decision_id = $1", edit["decision_id"]
    )
    assert left["difference"] is None
    late = await desk.decide(episode, "edit", draft_hash=text, payload=WORDS)
    assert late["outcome"] == "refused"


async def an_edit(desk: Desk, episode: str, text: str) -> int:
    """Make an edit that is not applied yet."""
    made: int = await desk.db.fetchval(
        "INSERT INTO decisions (episode_id, action, actor, draft_hash, payload)"
        " VALUES ($1, 'edit', 'Pat', $2, $3) RETURNING id",
        episode,
        text,
        json.dumps(WORDS),
    )
    return made


async def test_an_edit_of_a_client_who_is_gone(desk: Desk):
    """Applied after the client was deleted, before anybody told, an edit stores no word."""
    client = await desk.client()
    episode, text = await a_draft(desk, client)
    made = await an_edit(desk, episode, text)
    await desk.db.execute("DELETE FROM clients WHERE id = $1", client)
    await desk.decisions.apply_some()
    done = await desk.row("SELECT * FROM decision_outcomes WHERE decision_id = $1", made)
    assert done["reason"] == "not edited, but suppressed: the client was erased"
    assert done["difference"] is None
    assert await desk.state(episode) == "suppressed"
    assert (await desk.email(episode))["body"] == ""


async def test_an_edit_that_was_blanked_before_it_was_applied(desk: Desk):
    """What a person wrote is read when it is applied: an erasure may have blanked it meanwhile."""
    episode, text = await a_draft(desk)
    before = (await desk.email(episode))["body"]
    made = await an_edit(desk, episode, text)
    blocker = await asyncpg.connect(desk.admin_url)
    async with blocker.transaction():
        await blocker.execute("SELECT FROM episodes WHERE id = $1 FOR UPDATE", episode)
        applying = asyncio.create_task(desk.decisions.apply_some())
        await until(lambda: someone_waits(desk.db))
        await blocker.execute("UPDATE decisions SET payload = '{}' WHERE id = $1", made)
    await blocker.close()
    await applying
    outcome = await desk.row("SELECT * FROM decision_outcomes WHERE decision_id = $1", made)
    assert (outcome["outcome"], outcome["difference"]) == ("refused", None)
    assert (await desk.email(episode))["body"] == before


@pytest.mark.parametrize("state", ["held", "recovered", "rejected"])
async def test_what_was_erased_is_not_written_any_more(desk: Desk, state: str):
    """Erased without any text, an episode is never written, whoever opens, releases or retries."""
    await desk.policy(auto_approve=False)
    client = await desk.client()
    episode = await desk.opened(client, ago=50 if state == "held" else 0)
    if state == "recovered":
        await desk.closed(episode)
    elif state == "rejected":
        (claim,) = await desk.claim()
        await desk.results.settle(claim, Change("writing", "rejected", "the model refused"))
    await desk.decide(episode, "erase")
    desk.now(later(1))
    await desk.opened(client, silent_days=61)
    for action in ("release", "retry"):
        assert (await desk.decide(episode, action))["outcome"] == "refused"
    await desk.release.turn()
    await desk.write()
    assert await desk.state(episode) == ("suppressed" if state == "held" else state)
    assert await desk.db.fetchval("SELECT count(*) FROM emails") == 0


async def test_an_uncertain_email_was_sent(desk: Desk):
    """A person found out that it was: it is sent, and stays so."""
    episode = await an_uncertain_one(desk)
    done = await desk.decide(episode, "resolve", payload={"sent": True})
    assert done["outcome"] == "applied"
    assert (await desk.episode(episode))["actor"] == "Pat"
    assert await desk.state(episode) == "sent"
    assert (await desk.decide(episode, "resolve", payload={"sent": False}))["outcome"] == "refused"


async def test_an_uncertain_email_was_not_sent(desk: Desk):
    """A person found out that it was not: it failed, and goes out again only when retried."""
    episode = await an_uncertain_one(desk)
    text = (await desk.email(episode))["body"]
    await desk.decide(episode, "resolve", payload={"sent": False})
    row = await desk.episode(episode)
    assert (row["state"], row["reason"]) == ("failed", "not sent, as a person found out")
    await desk.write()
    assert await desk.state(episode) == "failed"
    await desk.decide(episode, "retry")
    await desk.write()
    assert await desk.state(episode) == "written"
    assert (await desk.email(episode))["body"] == text
    assert await desk.db.fetchval("SELECT count(*) FROM model_calls") == 1


@pytest.mark.parametrize("payload", [{}, {"sent": 1}, {"sent": "true"}, {"sent": True, "x": 1}])
async def test_half_a_resolution_is_none(desk: Desk, payload: dict[str, object]):
    """Whether it was sent is said outright, or the decision is refused."""
    episode = await an_uncertain_one(desk)
    assert (await desk.decide(episode, "resolve", payload=payload))["outcome"] == "refused"
    assert await desk.state(episode) == "uncertain"


async def test_approval_waits_for_the_cap(desk: Desk):
    """Another email became final: the approval is refused and says when, and then it is not."""
    client = await desk.client()
    episode, text = await a_draft(desk, client)
    await desk.policy()
    await desk.db.execute(
        "INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day, crossing_day,"
        " opened_as_of, score, value_at_risk, policy_version, event)"
        " SELECT client_id || '-1', client_id, 'held', reason, actor, last_order_day, crossing_day,"
        " opened_as_of, score, 1, policy_version, event FROM episodes"
    )
    await desk.db.execute(
        "INSERT INTO episode_history (episode_id, to_state, reason, actor)"
        " SELECT id, state, reason, actor FROM episodes WHERE state = 'held'"
    )
    await desk.db.execute(
        "INSERT INTO emails SELECT client_id || '-1', client_id, 'Hi', 'Hi', '[]', 'h', 'p', 'ph',"
        " 'm', 'pr', 'g', true, now(), now(), $1 FROM emails",
        NOON,
    )
    refused = await desk.decide(episode, "approve", draft_hash=text)
    assert refused["reason"] == (
        "frequency cap: one email in 30 days: approve it again after 2026-06-09 12:00 UTC"
    )
    assert await desk.state(episode) == "draft"
    desk.now(later(30))
    assert (await desk.decide(episode, "approve", draft_hash=text))["outcome"] == "applied"
    assert (await desk.email(episode))["written_as_of"] == later(30)


@pytest.mark.parametrize(
    ("origin", "target", "reason"),
    [
        ("order", "recovered", "an order was counted since"),
        ("consent", "suppressed", "the client does not consent"),
        ("address", "suppressed", "the client's address is suppressed"),
    ],
)
async def test_approval_looks_at_the_client(desk: Desk, origin: str, target: str, reason: str):
    """What would be final is not, where the client ordered or wished otherwise."""
    client = await desk.client()
    episode, text = await a_draft(desk, client)
    if origin == "order":
        await desk.db.execute(
            "INSERT INTO orders (client_id, ordered_at, amount) VALUES ($1, $2, 10)", client, NOON
        )
    elif origin == "consent":
        await desk.db.execute("UPDATE clients SET consent = false WHERE id = $1", client)
    else:
        await desk.suppress(client)
    done = await desk.decide(episode, "approve", draft_hash=text)
    assert done["reason"] == f"not approved, but {target}: {reason}"
    assert await desk.state(episode) == target


async def test_nothing_unapproved_becomes_final(desk: Desk):
    """Without a policy's or a person's approval a draft stays one, whatever passes by."""
    episode, text = await a_draft(desk)
    await desk.decide(episode, "edit", draft_hash=text, payload=WORDS)
    assert (await desk.decide(episode, "approve", draft_hash=text))["outcome"] == "refused"
    await desk.write()
    await desk.release.turn()
    assert await desk.state(episode) == "draft"
    assert (await desk.email(episode))["written_as_of"] is None
