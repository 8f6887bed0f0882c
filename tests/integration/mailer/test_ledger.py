"""The ledger on a real Postgres: reopening, caps, quiet hours, the queue's order and its fences."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import asyncpg
import pytest

from mailer.episodes import ledger
from mailer.episodes.deferral import NEVER, NO_ZONE, QUIET
from mailer.episodes.permission import may_send
from mailer.episodes.recording import LONG_AGO
from mailer.model import calls
from mailer.model.budget import Need
from tests.integration.mailer.desk import ASKING, NOON, Desk, later
from tests.integration.mailer.test_crashes import someone_waits
from tests.integration.mailer.world import until

NIGHT = {"quiet_hours": {"begin": "21:00", "end": "08:00"}}
MIDNIGHT = datetime(2026, 5, 10, 23, tzinfo=UTC)
MORNING = datetime(2026, 5, 11, 8, tzinfo=UTC)


async def test_a_kept_text_goes_its_way_again_without_a_call(desk: Desk):
    """Opened again, an episode passes the queue, and its text is final again as it was."""
    await desk.policy()
    client = await desk.client()
    episode = await desk.written(client)
    text = await desk.email(episode)
    await desk.closed(episode)
    desk.now(later(1))
    await desk.opened(client, silent_days=61)
    assert await desk.state(episode) == "pending"
    (claim,) = await desk.claim()
    assert await desk.results.look(claim) is None
    assert await desk.path(episode) == [
        *("pending", "writing", "draft", "written", "recovered", "pending", "writing", "draft"),
        "written",
    ]
    kept = await desk.email(episode)
    assert (kept["body"], kept["draft_hash"]) == (text["body"], text["draft_hash"])
    assert (text["written_as_of"], kept["written_as_of"]) == (NOON, later(1))
    assert await desk.db.fetchval("SELECT count(*) FROM model_calls") == 1


async def test_a_close_from_before_the_opening_ends_nothing(desk: Desk):
    """Read again after a crash, the first close leaves what was opened again; a new one ends it."""
    await desk.policy()
    client = await desk.client()
    episode = await desk.opened(client)
    await desk.closed(episode)
    assert await desk.state(episode) == "recovered", "a close of the opening's own moment counts"
    desk.now(later(1))
    await desk.opened(client, silent_days=61)
    await desk.closed(episode, as_of=NOON)
    assert await desk.state(episode) == "pending"
    await desk.closed(episode, "score")
    assert await desk.state(episode) == "recovered"


async def test_an_order_counts_though_its_close_came_late(desk: Desk):
    """A close that is ignored as old news loses no order: Postgres has it before a text is kept."""
    await desk.policy()
    client = await desk.client()
    episode = await desk.opened(client)
    await desk.others_do(
        "INSERT INTO orders (client_id, ordered_at, amount, status, category)"
        " VALUES ($1, $2, 50, 'paid', 'shoes')",
        client,
        NOON,
    )
    await desk.closed(episode, as_of=later(-1))
    assert await desk.state(episode) == "pending"
    await desk.write()
    assert await desk.state(episode) == "recovered"


async def test_a_kept_text_that_was_erased_is_suppressed(desk: Desk):
    """A text that lost its words is neither written anew nor final again."""
    await desk.policy()
    client = await desk.client()
    episode = await desk.written(client)
    await desk.closed(episode)
    await desk.opened(client)
    await desk.db.execute("UPDATE emails SET subject = '', body = ''")
    (claim,) = await desk.claim()
    assert await desk.results.look(claim) is None
    assert await desk.state(episode) == "suppressed"


async def test_a_kept_text_waits_for_an_order_under_way(desk: Desk):
    """An order that commits while a kept text becomes final is seen: it does not."""
    await desk.policy()
    client = await desk.client()
    episode = await desk.written(client)
    await desk.closed(episode, "score")
    desk.now(later(1))
    await desk.opened(client, silent_days=61)
    (claim,) = await desk.claim()
    ordering = await asyncpg.connect(desk.admin_url)
    async with ordering.transaction():
        await ordering.execute(
            "INSERT INTO orders (client_id, ordered_at, amount) VALUES ($1, $2, 10)", client, NOON
        )
        looking = asyncio.create_task(desk.results.look(claim))
        await until(lambda: someone_waits(desk.db))
    await ordering.close()
    assert await looking is None
    assert await desk.state(episode) == "recovered"


@pytest.mark.parametrize("final", [True, False])
async def test_reopened_long_ago_waits_for_a_person(desk: Desk, *, final: bool):
    """A crossing too far back is not written unasked, however often it is told; a person may."""
    await desk.policy()
    client = await desk.client()
    episode = await (desk.written if final else desk.opened)(client)
    await desk.closed(episode, "score")
    desk.now(later(20))
    for _ in range(2):
        await desk.opened(client, silent_days=80, ago=20)
        row = await desk.episode(episode)
        assert (row["state"], row["reason"]) == ("recovered", LONG_AGO)
    await desk.opened(client, as_of=NOON)
    assert await desk.state(episode) == "recovered", "a replay of the first opening"
    assert (await desk.decide(episode, "release"))["outcome"] == "applied"
    assert (await desk.decide(episode, "release"))["outcome"] == "refused"
    assert await desk.release.turn() == 1
    assert await desk.state(episode) == "pending"
    await desk.write()
    assert await desk.state(episode) == "written"


async def test_a_release_ends_with_an_order(desk: Desk):
    """Released and closed before its turn came, an episode is not released any more."""
    await desk.policy()
    client = await desk.client()
    episode = await desk.opened(client)
    await desk.closed(episode)
    assert (await desk.decide(episode, "release"))["outcome"] == "refused"
    desk.now(later(20))
    await desk.opened(client, silent_days=80, ago=20)
    await desk.decide(episode, "release")
    await desk.closed(episode)
    assert await desk.release.turn() == 0
    row = await desk.episode(episode)
    assert (row["state"], row["until"]) == ("recovered", None)


async def test_the_frequency_cap_defers_and_passes(desk: Desk):
    """A second episode waits until the cap passes, says so, and is written then."""
    await desk.policy(emails={"cap_days": 30})
    client, other = await desk.client(), await desk.client()
    await desk.written(client)
    desk.now(later(10))
    second = await desk.written(client, silent_days=20)
    assert await desk.state(await desk.written(other)) == "written"
    row = await desk.episode(second)
    assert (row["state"], row["until"]) == ("deferred", later(30))
    assert row["reason"] == "frequency cap: one email in 30 days"
    desk.now(later(29.9))
    assert await desk.release.turn() == 0
    desk.now(later(30))
    assert await desk.release.turn() == 1
    await desk.write()
    assert await desk.path(second) == [
        *("pending", "deferred", "pending", "writing", "draft", "written")
    ]


async def test_a_cap_that_will_not_pass_suppresses(desk: Desk):
    """Where the client lapses before the cap passes, the episode ends."""
    await desk.policy(emails={"cap_days": 30})
    client = await desk.client()
    await desk.written(client, silent_days=100)
    late = await desk.written(client, silent_days=160)
    row = await desk.episode(late)
    assert (row["state"], row["reason"]) == ("suppressed", NEVER)


async def test_two_of_one_client_at_once(desk: Desk):
    """Two episodes of a client claimed together: the second text gives way to the first."""
    await desk.policy(emails={"cap_days": 30})
    client = await desk.client()
    await desk.opened(client, silent_days=60)
    await desk.opened(client, silent_days=20)
    claims = await desk.claim()
    for claim in claims:
        assert await desk.results.look(claim) is not None
    for claim in claims:
        await desk.accept(claim)
    first, second = (claim.episode_id for claim in claims)
    assert (await desk.state(first), await desk.state(second)) == ("written", "pending")
    assert (await desk.episode(second))["attempts"] == 0
    assert await desk.db.fetchval("SELECT count(*) FROM emails") == 1
    assert await desk.claim() == []
    assert await desk.state(second) == "deferred"


async def test_quiet_hours_are_kept_by_the_clients_clock(desk: Desk):
    """At night an episode waits until morning; where it is day, it goes on."""
    await desk.policy(emails=NIGHT)
    desk.now(MIDNIGHT)
    asleep = await desk.opened(await desk.client())
    awake = await desk.opened(await desk.client(time_zone="Pacific/Auckland"))
    lost = await desk.opened(await desk.client(time_zone="Nowhere/Land"))
    await desk.write()
    assert await desk.state(awake) == "written"
    row = await desk.episode(asleep)
    assert (row["state"], row["reason"], row["until"]) == ("deferred", QUIET, MORNING)
    row = await desk.episode(lost)
    assert (row["state"], row["reason"]) == ("deferred", NO_ZONE)
    desk.now(MORNING)
    assert await desk.release.turn() == 1
    await desk.write()
    assert await desk.state(asleep) == "written"


async def test_a_night_falls_while_a_text_is_written(desk: Desk):
    """A text that comes in quiet hours is final: only its sending waits for the morning."""
    await desk.policy(emails=NIGHT)
    episode = await desk.opened(await desk.client())
    (claim,) = await desk.claim()
    await desk.results.look(claim)
    desk.now(MIDNIGHT)
    await desk.accept(claim)
    assert await desk.state(episode) == "written"
    async with desk.pool.acquire() as conn, conn.transaction():
        row = await ledger.lock(conn, episode)
        assert row is not None
        until = await may_send(conn, row, desk.policies, desk.days)
        assert until == (QUIET, MORNING)
        await ledger.postpone(conn, episode, until)
        desk.now(MORNING)
        assert await may_send(conn, row, desk.policies, desk.days) is None
    row = await desk.episode(episode)
    assert (row["state"], row["reason"], row["until"]) == ("written", QUIET, MORNING)


async def test_a_whole_backlog_is_deferred_at_once(desk: Desk):
    """A claim at night defers all that wait, and finds the one whose client is awake."""
    await desk.policy(emails=NIGHT)
    client = await desk.client()
    awake = await desk.opened(await desk.client(time_zone="Pacific/Auckland"), value=1.0)
    await desk.opened(client, value=2.0)
    await desk.db.execute(
        "INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day, crossing_day,"
        " opened_as_of, score, value_at_risk, policy_version, event)"
        " SELECT client_id || '-' || g, client_id, state, reason, actor, last_order_day,"
        "  crossing_day, opened_as_of, score, g, policy_version, event"
        " FROM episodes, generate_series(100, 349) g WHERE client_id = $1",
        client,
    )
    await desk.db.execute(
        "INSERT INTO episode_history (episode_id, to_state, reason, actor)"
        " SELECT id, state, reason, actor FROM episodes e WHERE NOT EXISTS"
        " (SELECT FROM episode_history h WHERE h.episode_id = e.id)"
    )
    desk.now(MIDNIGHT)
    assert [claim.episode_id for claim in await desk.claim(2)] == [awake]
    assert await desk.db.fetchval("SELECT count(*) FROM episodes WHERE state = 'deferred'") == 251


async def test_the_most_valuable_first(desk: Desk):
    """Claims and releases take the highest value at risk first."""
    await desk.policy(emails={"release_per_minute": 61})
    values = (3.0, 9.0, 1.0, 7.0)
    episodes = {v: await desk.opened(await desk.client(), value=v) for v in values}
    claimed = [claim.episode_id for claim in await desk.claim(2)]
    assert claimed == [episodes[9.0], episodes[7.0]]
    held = {v: await desk.opened(await desk.client(), value=v, ago=50) for v in values}
    for episode in held.values():
        await desk.decide(episode, "release")
    assert await desk.release.turn() == 2
    going = [v for v, episode in held.items() if await desk.state(episode) == "pending"]
    assert sorted(going) == [7.0, 9.0]


async def test_releases_keep_to_the_rate(desk: Desk):
    """However many are due and whoever asks, no minute and no second sees more than its share."""
    await desk.policy(emails={"release_per_minute": 3})
    for _ in range(5):
        await desk.decide(await desk.opened(await desk.client(), ago=50), "release")
    turns = await asyncio.gather(*(desk.release.turn() for _ in range(6)))
    assert sum(turns) == 1
    released = 1
    for _ in range(4):
        await desk.db.execute("UPDATE episode_history SET at = at - interval '1.5 s'")
        released += await desk.release.turn()
    assert released == 3
    await desk.db.execute("UPDATE episode_history SET at = at - interval '61 s'")
    assert await desk.release.turn() == 1
    waiting = await desk.row("SELECT * FROM episodes WHERE state = 'held'")
    assert waiting["reason"] == "released by a person: goes on in its turn"
    assert waiting["until"] == NOON
    actors = await desk.db.fetch("SELECT actor FROM episode_history WHERE from_state = 'held'")
    assert {row["actor"] for row in actors} == {"Pat"}


async def test_who_lost_the_lease_writes_nothing(desk: Desk):
    """A worker whose lease was lost hands its text in for nothing, and gives nothing back."""
    await desk.policy()
    episode = await desk.opened(await desk.client())
    (stale,) = await desk.claim()
    await desk.results.look(stale)
    await desk.db.execute("UPDATE episodes SET lease_until = now() - interval '1 s'")
    assert await desk.reap() == 1
    (fresh,) = await desk.claim()
    before = dict(await desk.episode(episode))
    assert await desk.results.look(stale) is None
    await desk.accept(stale)
    await desk.results.settle(stale, ledger.Change("writing", "failed", "late"))
    await desk.results.release(stale)
    assert dict(await desk.episode(episode)) == before
    assert await desk.db.fetchval("SELECT count(*) FROM emails") == 0
    await desk.accept(fresh)
    assert await desk.state(episode) == "written"
    outcomes = await desk.db.fetch("SELECT outcome FROM model_calls ORDER BY id")
    assert [row["outcome"] for row in outcomes] == ["discarded: the claim was lost", "accepted"]


async def test_only_an_episodes_own_later_emails_do_not_hold_it_back(desk: Desk):
    """Of two final texts of a client, the earlier one may be sent, and the later one waits."""
    await desk.policy(emails={"cap_days": 5})
    client = await desk.client()
    first = await desk.written(client, silent_days=60)
    desk.now(later(6))
    second = await desk.written(client, silent_days=20)
    await desk.policy(emails={"cap_days": 30})
    async with desk.pool.acquire() as conn, conn.transaction():
        rows = [await ledger.lock(conn, episode) for episode in (first, second)]
        found = [await may_send(conn, row, desk.policies, desk.days) for row in rows if row]
    assert found == [None, ("frequency cap: one email in 30 days", later(30))]


async def test_an_order_or_a_wish_before_the_sending(desk: Desk):
    """What is final is not sent to who ordered since, withdrew, was suppressed or is gone."""
    await desk.policy()
    clients = [await desk.client() for _ in range(4)]
    episodes = [await desk.written(client) for client in clients]
    await desk.db.execute(
        "INSERT INTO orders (client_id, ordered_at, amount) VALUES ($1, $2, 10)", clients[0], NOON
    )
    await desk.db.execute("UPDATE clients SET consent = false WHERE id = $1", clients[1])
    await desk.suppress(clients[2])
    await desk.db.execute("DELETE FROM clients WHERE id = $1", clients[3])
    async with desk.pool.acquire() as conn, conn.transaction():
        found = []
        for episode in episodes:
            row = await ledger.lock(conn, episode)
            assert row is not None
            found.append(await may_send(conn, row, desk.policies, desk.days))
    assert found == [
        ("recovered", "an order was counted since"),
        ("suppressed", "the client does not consent"),
        ("suppressed", "the client's address is suppressed"),
        ("suppressed", "the client was erased"),
    ]


async def test_a_call_whose_episode_ended_and_whose_worker_went_away_is_closed(desk: Desk):
    """No lease runs out that would tell of it, so it is known by its age alone."""
    await desk.policy()
    episode = await desk.opened(await desk.client())
    (claim,) = await desk.claim()
    beginning = calls.Beginning(claim.episode_id, claim.attempt, Need(0, Decimal(0)))
    await calls.begin(desk.pool, [beginning], ASKING)
    await desk.closed(episode)
    assert await desk.reap() == 0
    assert await calls.lose_older(desk.pool, 60) == 0
    await desk.db.execute("UPDATE model_calls SET at = at - interval '61 s'")
    assert await calls.lose_older(desk.pool, 60) == 1
    assert await desk.db.fetchval("SELECT outcome FROM model_calls") == calls.UNKNOWN
