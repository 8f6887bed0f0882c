"""Clients' wishes are followed soon, on every open episode, whether they were announced or not."""

import asyncio

import asyncpg
import pytest

from mailer.episodes import ledger, wishes
from mailer.episodes.ledger import Change
from mailer.episodes.standing import CLIENT_GONE, NO_CONSENT, SUPPRESSED
from tests.integration.mailer.desk import NOON, Desk, later
from tests.integration.mailer.test_crashes import someone_waits
from tests.integration.mailer.world import until

SUPPRESS = (
    "INSERT INTO suppressions SELECT address_hash(upper(email)), 'asked', 'Pat'"
    " FROM clients WHERE id = $1"
)
NIGHT = {"quiet_hours": {"begin": "13:00", "end": "08:00"}}


async def one_in_each_state(desk: Desk, client: int) -> dict[str, str]:
    """Bring an episode of the client into each state that a wish ends, and into some others."""
    await desk.policy(auto_approve=False, emails={"cap_days": 0})
    draft = await desk.written(client, silent_days=10)
    sent = await desk.written(client, silent_days=11)
    written = await desk.written(client, silent_days=12)
    for episode in (written, sent):
        text = (await desk.email(episode))["draft_hash"]
        await desk.decide(episode, "approve", draft_hash=text)
    async with desk.pool.acquire() as conn:
        for origin, target in (("written", "sending"), ("sending", "uncertain")):
            await ledger.move_one(conn, sent, Change(origin, target, "sent"))
    await desk.policy(emails={"cap_days": 0, **NIGHT})
    desk.now(NOON.replace(hour=14))
    deferred = await desk.written(client, silent_days=13)
    pending = await desk.opened(client, silent_days=14)
    held = await desk.opened(client, silent_days=15, ago=9)
    made = {
        "draft": draft,
        "written": written,
        "deferred": deferred,
        "pending": pending,
        "held": held,
        "uncertain": sent,
    }
    for state, episode in made.items():
        assert await desk.state(episode) == state
    return made


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ("UPDATE clients SET consent = false WHERE id = $1", NO_CONSENT),
        (SUPPRESS, SUPPRESSED),
        ("DELETE FROM clients WHERE id = $1", CLIENT_GONE),
    ],
)
async def test_a_wish_ends_every_open_episode(desk: Desk, wish: str, reason: str):
    """What is not handed over yet ends; what was, and others' episodes, stay as they are."""
    client, other = await desk.client(), await desk.client()
    theirs = await one_in_each_state(desk, client)
    bystander = await desk.opened(other)
    await desk.db.execute(wish, client)
    await desk.wishes.sweep_all(asyncio.Event())
    for state, episode in theirs.items():
        row = await desk.episode(episode)
        if state == "uncertain":
            assert row["state"] == state
        else:
            assert (row["state"], row["reason"]) == ("suppressed", reason)
            assert row["until"] is None
    assert await desk.state(bystander) == "pending"
    texts = await desk.db.fetch("SELECT body = '' AS blank FROM emails")
    assert {row["blank"] for row in texts} == {reason == CLIENT_GONE}


async def test_more_than_a_chunk(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """A wish of very many is followed to the last, and nobody else's episode is touched."""
    monkeypatch.setattr(wishes, "CHUNK", 20)
    many = 47
    await desk.policy()
    await desk.db.execute(
        "INSERT INTO clients (first_name, consent) SELECT 'Many', g % 8 <> 0"
        " FROM generate_series(1, $1) g",
        8 * many,
    )
    await desk.db.execute(
        "WITH made AS (INSERT INTO episodes (id, client_id, state, reason, actor, last_order_day,"
        "  crossing_day, opened_as_of, score, value_at_risk, policy_version, event)"
        " SELECT id || '-1', id, 'held', 'old', 'scorer', '2026-01-01', '2026-01-01', now(), 0.1,"
        "  1, $1, '{}' FROM clients RETURNING id)"
        " INSERT INTO episode_history (episode_id, to_state, reason, actor)"
        " SELECT id, 'held', 'old', 'scorer' FROM made",
        desk.version,
    )
    await desk.wishes.sweep_all(asyncio.Event())
    counted = await desk.db.fetch("SELECT state, count(*) AS n FROM episodes GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in counted] == [
        ("held", 7 * many),
        ("suppressed", many),
    ]


async def test_announced_wishes_are_followed_at_once(desk: Desk):
    """A wish that is announced is followed long before anybody looks; so is one from before."""
    await desk.policy()
    clients = [await desk.client() for _ in range(3)]
    first, second, third = [await desk.opened(client) for client in clients]
    await desk.db.execute("UPDATE clients SET consent = false WHERE id = $1", clients[0])
    stopping = asyncio.Event()
    running = asyncio.create_task(desk.wishes.run(desk.url, stopping))
    try:

        async def is_suppressed(episode: str) -> bool:
            return await desk.state(episode) == "suppressed"

        await until(lambda: is_suppressed(first))
        await until(lambda: listens(desk.db))
        await desk.db.execute("UPDATE clients SET consent = false WHERE id = $1", clients[1])
        await until(lambda: is_suppressed(second), limit_s=20)
        await desk.suppress(clients[2])
        await until(lambda: is_suppressed(third), limit_s=20)
    finally:
        stopping.set()
        await running


async def test_a_wish_from_before_the_episode_is_followed_at_once(desk: Desk):
    """Nobody works on what is held from its beginning, so whoever records it says so."""
    await desk.policy()
    client = await desk.client(consent=False)
    stopping = asyncio.Event()
    running = asyncio.create_task(desk.wishes.run(desk.url, stopping))
    try:
        await until(lambda: listens(desk.db))
        held = await desk.opened(client, ago=9)

        async def is_suppressed() -> bool:
            return await desk.state(held) == "suppressed"

        await until(is_suppressed, limit_s=20)
    finally:
        stopping.set()
        await running


async def listens(db: asyncpg.Connection) -> bool:
    """Whether a mailer listens for wishes, on the connection that it keeps for that."""
    return bool(
        await db.fetchval(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE usename = 'mailer'"
            " AND datname = current_database() AND query LIKE 'LISTEN%')"
        )
    )


async def test_a_sweep_waits_for_the_client_and_holds_up_nobody_else(desk: Desk):
    """While a client's row is being changed the sweep waits, having locked no episode before."""
    await desk.policy()
    client = await desk.client(consent=False)
    episode = await desk.opened(client)
    blocker = await asyncpg.connect(desk.admin_url)
    async with blocker.transaction():
        await blocker.execute("SELECT FROM clients WHERE id = $1 FOR UPDATE", client)
        sweeping = asyncio.create_task(desk.wishes.sweep_all(asyncio.Event()))
        await until(lambda: someone_waits(desk.db))
        await desk.db.fetch("SELECT FROM episodes WHERE id = $1 FOR UPDATE NOWAIT", episode)
    await blocker.close()
    await sweeping
    assert await desk.state(episode) == "suppressed"


async def test_a_suppressed_address_gets_no_email(desk: Desk):
    """Looked at before the call and again with the result: a suppressed address gets nothing."""
    await desk.policy()
    before, during = await desk.client(), await desk.client()
    await desk.suppress(before)
    first, second = await desk.opened(before), await desk.opened(during)
    claims = {claim.episode_id: claim for claim in await desk.claim()}
    assert await desk.results.look(claims[first]) is None
    assert await desk.results.look(claims[second]) is not None
    await desk.suppress(during)
    await desk.accept(claims[second])
    for episode in (first, second):
        row = await desk.episode(episode)
        assert (row["state"], row["reason"]) == ("suppressed", SUPPRESSED)
    assert await desk.db.fetchval("SELECT count(*) FROM emails") == 0


async def test_who_comes_back_under_the_same_address_stays_suppressed(desk: Desk):
    """A suppression is of the address: a client made anew with it is not written to."""
    await desk.policy()
    client = await desk.client(email="Anna@Example.com ")
    await desk.suppress(client)
    await desk.db.execute("DELETE FROM clients WHERE id = $1", client)
    again = await desk.opened(await desk.client(email="anna@example.com"))
    await desk.write()
    assert await desk.state(again) == "suppressed"


async def test_a_look_while_nothing_is_wished_changes_nothing(desk: Desk):
    """Whoever consents keeps every episode, and orders are none of the sweep's business."""
    await desk.policy()
    client = await desk.client()
    episode = await desk.written(client)
    await desk.db.execute(
        "INSERT INTO orders (client_id, ordered_at, amount) VALUES ($1, $2, 10)", client, later(0)
    )
    await desk.wishes.sweep_all(asyncio.Event())
    assert await desk.state(episode) == "written"
