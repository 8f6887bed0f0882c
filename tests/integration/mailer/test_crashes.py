"""Kill, freeze and cut: an episode still ends with one email, and every call is on record."""

import asyncio
import signal

import asyncpg
import pytest

from mailer import database
from tests.integration.mailer.desk import Desk
from tests.integration.mailer.world import World, until

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE usename = 'mailer' AND wait_event_type = 'Lock'"
    " AND datname = current_database()"
)


async def someone_waits(db: asyncpg.Connection) -> bool:
    """Whether a mailer waits for a lock."""
    return bool(await db.fetchval(WAITING))


async def test_killed_between_answer_and_commit(world: World):
    """Killed after the model's 200 and before the commit: one email, two calls, both on record."""
    await world.policy()
    client = await world.client()
    await world.model.faults({"kind": "none", "delay_ms": 3000})
    mailer = await world.run()
    blocker = await asyncpg.connect(world.database.admin_url)
    episode = world.opened(client)
    await until(lambda: world.calls(episode))
    async with blocker.transaction():
        await blocker.execute("SELECT FROM clients WHERE id = $1 FOR UPDATE", client)
        await until(lambda: someone_waits(world.db))
        mailer.kill()
    await blocker.close()
    assert len(world.model.journal()) == 1
    assert not await world.has_email(episode)
    await world.model.faults()
    await world.run()
    await world.reach(episode, "written")
    assert len(world.model.journal()) == 2
    outcomes = [call["outcome"] for call in await world.calls(episode)]
    assert outcomes == ["unknown: the mailer went away", "accepted"]
    assert await world.path(episode) == [
        *("pending", "writing", "pending", "writing", "draft", "written"),
    ]
    await world.check_the_sums()


async def test_killed_between_commit_and_offset(world: World):
    """Killed after the email, before the offset: the event comes again, and no second call."""
    await world.policy()
    client = await world.client()
    mailer = await world.run()
    old = world.opened(client, silent_days=90)
    await world.reach(old, "recovered")  # the later order counts
    mailer.stop()
    blocker = await asyncpg.connect(world.database.admin_url)
    async with blocker.transaction():
        await blocker.execute("SELECT FROM episodes WHERE id = $1 FOR UPDATE", old)
        episode = world.opened(client)
        world.closed(client, old)  # cannot be recorded, so the batch is not committed
        mailer = await world.run()
        await world.reach(episode, "written")
        await until(lambda: someone_waits(world.db))
        mailer.kill()
    await blocker.close()
    await world.run()
    marker = world.opened(await world.client("Bob"))
    await world.reach(marker, "written")
    again = world.processes[-1].log.read_text()
    assert f'"episode": "{old}", "event": "nothing to close"' in again, "it did not come again"
    assert await world.path(episode) == ["pending", "writing", "draft", "written"]
    assert len(await world.calls(episode)) == 1
    await world.check_the_sums()


async def test_whoever_freezes_in_a_transaction_blocks_nobody_for_long(desk: Desk):
    """Postgres ends a transaction in which nothing happens, and the next one gets the lock."""
    client = await desk.client()
    async with desk.pool.acquire() as frozen:
        kept = await frozen.fetchval("SHOW idle_in_transaction_session_timeout")
        assert kept == f"{database.IDLE_LIMIT_S}s"
        await frozen.execute("SET idle_in_transaction_session_timeout = '200ms'")
        await frozen.execute("BEGIN")
        await frozen.execute("SELECT lock_client($1)", client)
        async with asyncio.timeout(20):
            await desk.others_do("SELECT lock_client($1)", client)
        with pytest.raises(database.TRANSIENT):
            await frozen.execute("SELECT 1")


async def test_a_frozen_mailers_result_is_refused(world: World):
    """Frozen past its lease, a mailer wakes up to find its claim taken: its text is discarded."""
    await world.policy()
    await world.model.faults({"kind": "none", "delay_ms": 1000, "times": 1})
    frozen = await world.run()
    episode = world.opened(await world.client())
    await until(lambda: world.calls(episode))
    frozen.signal(signal.SIGSTOP)
    await world.run()
    await world.reach(episode, "written")
    first = await world.email(episode)
    frozen.signal(signal.SIGCONT)

    async def known() -> bool:
        return str((await world.calls(episode))[0]["outcome"]).startswith("discarded")

    await until(known)
    assert await world.email(episode) == first
    assert [call["outcome"] for call in await world.calls(episode)] == [
        "discarded: the claim was lost",
        "accepted",
    ]
    await world.check_the_sums()


async def test_two_mailers_never_write_the_same(world: World):
    """Two mailers share a backlog: every episode gets one call and one email."""
    await world.policy()
    await world.model.faults({"kind": "none", "delay_ms": 300})
    # Both are there before there is work, and a slow machine costs neither of them its leases: one
    # alone would need seconds for it all.
    patient = {"LEASE_S": 30, "MAILER_CONCURRENCY": 4}
    await asyncio.gather(world.run(**patient), world.run(**patient))
    clients = [await world.client() for _ in range(40)]
    episodes = [world.opened(client) for client in clients]
    for episode in episodes:
        await world.reach(episode, "written")
    assert await world.db.fetchval("SELECT count(*) FROM emails") == 40
    outcomes = await world.db.fetch("SELECT episode_id, outcome FROM model_calls")
    assert {row["outcome"] for row in outcomes} == {"accepted"}
    assert len(outcomes) == 40
    worked = [log.log.read_text().count('"model called"') for log in world.processes]
    assert all(worked), f"one of them did nothing: {worked}"
    await world.check_the_sums()


async def test_killed_again_and_again(world: World):
    """Killed five times in the middle of a backlog, the mailer loses and doubles nothing."""
    await world.policy()
    await world.model.faults({"kind": "none", "delay_ms": 100})
    episodes = [world.opened(await world.client()) for _ in range(60)]
    for kill in range(5):
        mailer = world.start(LEASE_S=1)

        async def more(least: int = kill * 8 + 4) -> bool:
            return len(world.model.journal()) >= least

        await until(more)
        mailer.kill()
    await world.run(LEASE_S=1)
    for episode in episodes:
        await world.reach(episode, "written")
    assert await world.db.fetchval("SELECT count(*) FROM emails") == 60
    stored = await world.db.fetch("SELECT generation_id FROM emails")
    answered = {entry["generation"] for entry in world.model.journal()}
    assert {row["generation_id"] for row in stored} <= answered
    logged = await world.db.fetchval("SELECT count(*) FROM model_calls")
    assert logged >= len(world.model.journal())
    await world.check_the_sums()


async def test_lost_connections_to_postgres(world: World):
    """Every connection to Postgres is cut in mid-call: the one text is still stored, once."""
    await world.policy()
    await world.model.faults({"kind": "none", "delay_ms": 800})
    await world.run()
    episode = world.opened(await world.client())
    await until(lambda: world.calls(episode))
    for _ in range(3):
        await world.db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'mailer' AND datname = current_database()"
        )
    await world.reach(episode, "written")
    assert len(await world.calls(episode)) == 1
    held = world.opened(await world.client(), crossing_day=10)
    await world.reach(held, "held")
    assert (await world.decide(held, "release"))["outcome"] == "applied"
    await world.reach(held, "written")
    await world.check_the_sums()
