"""Orders, consent and erasure: nobody is written to who should not be, whenever that shows."""

import asyncpg

from tests.integration.mailer.test_crashes import someone_waits
from tests.integration.mailer.world import World, until

REFUSED_KEY = ({"kind": "status", "status": 401}, {"kind": "status", "status": 401, "path": "key"})


async def test_an_order_before_the_call(world: World):
    """An order that came before the work began makes the episode recovered, without a call."""
    await world.policy()
    client = await world.client()
    await world.order(client)
    await world.run()
    episode = world.opened(client)
    await world.reach(episode, "recovered")
    assert await world.calls(episode) == []
    await world.check_the_sums()


async def test_orders_that_do_not_count(world: World):
    """Cancelled orders and orders of another day or client's do not end a silence."""
    await world.policy()
    client, other = await world.client(), await world.client("Bob")
    await world.order(client, status="cancelled")
    await world.order(client, days_ago=70)
    await world.order(client, days_ago=-20)
    await world.order(other)
    await world.run()
    episode = world.opened(client)
    await world.reach(episode, "written")


async def test_an_order_during_the_call(world: World):
    """An order that commits while the model writes makes the text useless: it is not stored."""
    await world.policy()
    await world.model.faults({"kind": "none", "delay_ms": 1000})
    await world.run()
    client = await world.client()
    episode = world.opened(client)
    await until(lambda: world.calls(episode))
    await world.order(client)
    await world.reach(episode, "recovered")
    assert not await world.has_email(episode)
    (call,) = await world.calls(episode)
    assert call["outcome"] == "discarded: the client changed meanwhile"
    assert call["generation_id"].startswith("sbx-")
    await world.check_the_sums()


async def test_an_order_that_commits_at_the_last_moment(world: World):
    """The result waits for an order in mid-transaction, and then sees it."""
    await world.policy()
    client = await world.client()
    await world.run()
    ordering = await asyncpg.connect(world.database.client_api_url)
    async with ordering.transaction():
        await ordering.execute(
            "INSERT INTO orders (client_id, ordered_at, amount) VALUES ($1, now(), 10)", client
        )
        episode = world.opened(client)
        await until(lambda: someone_waits(world.db))
    await ordering.close()
    await world.reach(episode, "recovered")
    assert not await world.has_email(episode)


async def test_consent(world: World):
    """Consent refused before or during the call: suppressed, and no text is stored."""
    await world.policy()
    never, late = await world.client(consent=False), await world.client()
    await world.model.faults({"kind": "none", "delay_ms": 1000})
    await world.run()
    first = world.opened(never)
    await world.reach(first, "suppressed")
    assert await world.calls(first) == []
    second = world.opened(late)
    await until(lambda: world.calls(second))
    await world.db.execute("UPDATE clients SET consent = false WHERE id = $1", late)
    await world.reach(second, "suppressed")
    assert not await world.has_email(second)
    await world.check_the_sums()


async def test_consent_refused_before_a_text_is_written_anew(world: World):
    """Consent refused while an unusable text was written: the second call is never made."""
    await world.policy()
    client = await world.client()
    await world.model.faults({"kind": "wrong_schema", "delay_ms": 1000})
    await world.run()
    episode = world.opened(client)
    await until(lambda: world.calls(episode))
    await world.db.execute("UPDATE clients SET consent = false WHERE id = $1", client)
    await world.reach(episode, "suppressed")
    assert len(await world.calls(episode)) == 1
    await world.check_the_sums()


async def test_a_client_who_is_gone(world: World):
    """A client deleted before or during the call: suppressed, and no text is stored."""
    await world.policy()
    before, during = await world.client(), await world.client()
    await world.model.faults({"kind": "none", "delay_ms": 1000})
    await world.run()

    async def delete(client: int) -> None:
        await world.db.execute("DELETE FROM orders WHERE client_id = $1", client)
        await world.db.execute("DELETE FROM clients WHERE id = $1", client)

    await delete(before)
    first = world.opened(before)
    await world.reach(first, "suppressed")
    assert await world.calls(first) == []
    second = world.opened(during)
    await until(lambda: world.calls(second))
    await delete(during)
    await world.reach(second, "suppressed")
    assert not await world.has_email(second)


async def test_erasure_blanks_every_text(world: World):
    """An erased client's texts lose their words; the rows, states and counts stay."""
    await world.policy()
    client = await world.client()
    await world.run()
    episode = world.opened(client)
    await world.reach(episode, "written")
    world.closed(client, episode, "erased")
    await world.reach(episode, "suppressed")
    email = await world.email(episode)
    assert (email["subject"], email["body"], email["facts_used"]) == ("", "", "[]")
    world.opened(client)
    marker = world.opened(await world.client("Bob"))
    await world.reach(marker, "written")
    assert await world.state(episode) == "suppressed"
    await world.check_the_sums()


async def test_the_scorer_closes_and_opens_again(world: World):
    """A final text survives recovery: opened again it goes its way anew, without another call."""
    await world.policy()
    client = await world.client()
    await world.run()
    episode = world.opened(client)
    await world.reach(episode, "written")
    text = await world.email(episode)
    world.closed(client, episode)
    await world.reach(episode, "recovered")
    world.opened(client)
    await world.reach(episode, "written")
    first = ["pending", "writing", "draft", "written"]
    assert await world.path(episode) == [*first, "recovered", *first]
    kept = await world.email(episode)
    assert (kept["body"], kept["created_at"]) == (text["body"], text["created_at"])
    assert len(await world.calls(episode)) == 1
    await world.check_the_sums()


async def test_an_opening_that_postgres_contradicts(world: World):
    """Opened again although an order counts since: it stays recovered."""
    await world.policy()
    client = await world.client()
    await world.run()
    episode = world.opened(client)
    await world.reach(episode, "written")
    await world.order(client)
    world.closed(client, episode)
    world.opened(client)
    marker = world.opened(await world.client("Bob"))
    await world.reach(marker, "written")
    await world.reach(episode, "recovered")
    assert len(await world.calls(episode)) == 1


async def test_recovered_before_it_was_written(world: World):
    """Closed before the text was written and opened again, it is written then, once."""
    await world.policy()
    client = await world.client()
    await world.model.faults(*REFUSED_KEY)
    mailer = world.start()
    episode = world.opened(client)
    await world.reach(episode, "pending")
    world.closed(client, episode, "score")
    await world.reach(episode, "recovered")
    world.opened(client)
    await world.reach(episode, "pending")
    await world.model.faults()
    await until(lambda: mailer.healthy("/readyz"))
    await world.reach(episode, "written")
    assert len(await world.calls(episode)) <= 2
    await world.check_the_sums()


async def test_a_replay_brings_no_risen_score_back(world: World):
    """A replayed opening does not undo a close that orders in Postgres cannot explain."""
    await world.policy()
    client = await world.client()
    await world.run()
    asof = await world.db.fetchval("SELECT now() - interval '1 hour'")
    episode = world.opened(client, as_of=asof)
    await world.reach(episode, "written")
    world.closed(client, episode, "score")
    world.opened(client, as_of=asof)
    marker = world.opened(await world.client("Bob"))
    await world.reach(marker, "written")
    await world.reach(episode, "recovered")


async def test_closing_what_nobody_knows(world: World):
    """Closing an unknown episode is harmless, and is no dead letter."""
    await world.policy()
    client = await world.client()
    await world.run()
    before = len(world.parked())
    world.closed(client, f"{client}-1")
    episode = world.opened(client)
    await world.reach(episode, "written")
    assert len(world.parked()) == before
    assert await world.db.fetchval("SELECT count(*) FROM episodes") == 1


async def test_the_holdout_gets_no_email(world: World):
    """Who is drawn into the holdout is recorded, and nobody is asked for a text."""
    await world.policy(holdout_percent=50)
    await world.run()
    episodes = [world.opened(await world.client()) for _ in range(20)]
    for episode in episodes:

        async def settled(one: str = episode) -> bool:
            return await world.state(one) in ("held_out", "written")

        await until(settled)
    states = [await world.state(episode) for episode in episodes]
    assert {"held_out", "written"} == set(states)
    assert len(world.model.journal()) == states.count("written")
    await world.check_the_sums()


async def test_consent_withdrawn_while_nobody_works_on_it(world: World):
    """Held, a draft or written: a wish ends the episode soon, without another event or decision."""
    await world.policy(auto_approve=False)
    await world.run()
    clients = [await world.client() for _ in range(2)]
    draft = world.opened(clients[0])
    held = world.opened(clients[1], crossing_day=20_000)
    await world.reach(draft, "draft")
    await world.reach(held, "held")
    await world.db.execute(
        "UPDATE clients SET consent = false WHERE id = ANY ($1::bigint[])", clients
    )
    for episode in (draft, held):
        await world.reach(episode, "suppressed")
    await world.check_the_sums()
