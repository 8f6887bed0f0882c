"""From an event to an email, on real servers."""

import signal
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.integration.mailer.world import KEY, MODEL, POLICY, PROVIDER, World, until


async def test_an_opened_episode_becomes_one_email(world: World):
    """An episode becomes one written email, with its provenance, history and call on record."""
    await world.policy()
    client = await world.client()
    await world.run()
    episode = world.opened(client)
    await world.reach(episode, "written")
    assert await world.path(episode) == ["pending", "writing", "draft", "written"]
    email = await world.email(episode)
    assert email["body"].startswith("Hello Anna,")
    assert (email["model"], email["provider"], email["sandbox"]) == (MODEL, PROVIDER, True)
    assert email["generation_id"].startswith("sbx-")
    (call,) = await world.calls(episode)
    assert (call["outcome"], call["status_code"], call["attempt"]) == ("accepted", 200, 1)
    assert call["cost_usd"] > 0
    assert call["prompt_tokens"] > 100
    approval = await world.row(
        "SELECT * FROM episode_history WHERE episode_id = $1 AND to_state = 'written'", episode
    )
    assert (approval["actor"], approval["reason"]) == ("policy", f"approved by policy {POLICY}")
    await world.check_the_sums()


async def test_the_request_forbids_every_other_way(world: World):
    """The request pins model and provider, denies data collection, and asks for strict JSON."""
    await world.policy()
    client = await world.client()
    await world.run()
    await world.reach(world.opened(client), "written")
    (entry,) = world.model.journal()
    request = entry["request"]
    assert request["model"] == MODEL
    assert request["provider"] == {
        "order": [PROVIDER],
        "only": [PROVIDER],
        "allow_fallbacks": False,
        "require_parameters": True,
        "data_collection": "deny",
        "zdr": True,
    }
    assert request["response_format"]["json_schema"]["strict"] is True
    assert request["max_completion_tokens"] > 0
    assert not {"models", "plugins", "user", "metadata", "stream"} & request.keys()
    assert KEY not in str(entry)


async def test_texts_differ_by_person(world: World):
    """Two clients get two different texts, each with its own name."""
    await world.policy()
    await world.run()
    episodes = [world.opened(await world.client(name)) for name in ("Anna", "Bob")]
    for episode in episodes:
        await world.reach(episode, "written")
    bodies = [(await world.email(episode))["body"] for episode in episodes]
    assert bodies[0].startswith("Hello Anna,")
    assert bodies[1].startswith("Hello Bob,")
    assert bodies[0].partition("\n")[2] != bodies[1].partition("\n")[2]


async def test_duplicates_and_replays_write_once(world: World):
    """The same opening many times, before and after the email, makes one email and one call."""
    await world.policy()
    client = await world.client()
    await world.run()
    for _ in range(5):
        episode = world.opened(client)
    await world.reach(episode, "written")
    for _ in range(5):
        world.opened(client)
    marker = world.opened(await world.client("Bob"))
    await world.reach(marker, "written")
    assert await world.path(episode) == ["pending", "writing", "draft", "written"]
    assert len(await world.calls(episode)) == 1


async def test_the_most_valuable_are_written_to_first(world: World):
    """With one worker, episodes are worked off by value at risk."""
    await world.policy()
    await world.model.faults({"kind": "none", "delay_ms": 300})
    await world.run(MAILER_CONCURRENCY=1)
    first = world.opened(await world.client())
    await world.reach(first, "writing")
    values = [5.0, 50.0, 500.0]
    episodes = [world.opened(await world.client(), value=value) for value in values]
    for episode in episodes:
        await world.reach(episode, "written")
    order = await world.db.fetch("SELECT episode_id FROM model_calls ORDER BY id")
    called = [row["episode_id"] for row in order]
    assert called[0] == first
    assert called.index(episodes[2]) < called.index(episodes[0])


async def test_poison_is_parked_and_neighbours_flow(world: World):
    """What is no known event goes to the dead letters with its reason; what follows is recorded.

    A tombstone is no event: it takes a client's older records from the topic, and is passed over.
    """
    await world.policy()
    client = await world.client()
    await world.run()
    before = len(world.parked())
    world.send(client, b"not json")
    world.send(client, None)
    world.send(client, b'{"type": "episode.opened.v9"}')
    world.send(client, b'{"type": "episode.opened.v1", "data": {}}')
    world.opened(client, policy_version=999_999, last_order_day=5, episode_id=f"{client}-5")
    world.opened(client, last_order_day=10**9, episode_id=f"{client}-{10**9}")
    episode = world.opened(client)
    await world.reach(episode, "written")
    parked = [letter["reason"] for letter in world.parked()[before:]]
    assert parked == [
        "not_an_event",
        "unknown_type",
        "invalid",
        "unknown_policy",
        "invalid",
    ]


async def test_a_stopped_mailer_leaves_cleanly(world: World):
    """Told to stop in the middle of a call, it gives the episode back, uncounted, and exits 0."""
    await world.policy()
    await world.model.faults({"kind": "none", "delay_ms": 60_000})
    mailer = await world.run()
    episode = world.opened(await world.client())
    await until(lambda: world.calls(episode))
    assert mailer.stop() == 0
    row = await world.row("SELECT * FROM episodes WHERE id = $1", episode)
    assert (row["state"], row["attempts"], row["lease_until"]) == ("pending", 0, None)
    await world.model.faults()
    await world.run()
    await world.reach(episode, "written")
    await world.check_the_sums()


async def test_a_call_that_ends_in_time_is_kept_at_a_stop(world: World):
    """Told to stop, it still finishes the calls that answer within the grace."""
    await world.policy()
    await world.model.faults({"kind": "none", "delay_ms": 1500})
    mailer = await world.run(STOP_GRACE_S=10)
    episode = world.opened(await world.client())
    await until(lambda: world.calls(episode))
    mailer.signal(signal.SIGTERM)
    assert mailer.popen.wait(30) == 0
    assert await world.state(episode) == "written"


@pytest.mark.parametrize("wrong", ["password", "role", "server", "partitions"])
async def test_a_mailer_that_cannot_work_does_not_start(world: World, wrong: str):
    """A wrong password, role, server or number of partitions ends the start: one line, code 2."""
    parts = urlsplit(world.database.mailer_url)
    changed: dict[str, str | int] = {
        "password": urlunsplit(
            parts._replace(netloc=f"mailer:canary@{parts.netloc.split('@')[1]}")
        ),
        "role": world.database.client_api_url,
        "server": urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:9")),
        "partitions": 7,
    }
    name = "TOPIC_PARTITIONS" if wrong == "partitions" else "DATABASE_URL"
    mailer = world.start(**{name: changed[wrong]})
    assert mailer.popen.wait(60) == 2
    said = [line for line in mailer.log.read_text().splitlines() if "cannot start: " in line]
    assert len(said) == 1
    assert "canary" not in mailer.log.read_text()


async def test_many_calls_at_once(world: World):
    """With far more calls in flight than connections to Postgres, a backlog goes out at once."""
    await world.policy()
    await world.model.faults({"kind": "status", "status": 401, "path": "key"})
    await world.db.executemany(
        "INSERT INTO clients (id, first_name) VALUES ($1, 'Anna')",
        [(world.base + number,) for number in range(100)],
    )
    mailer = world.start()
    episodes = [world.opened(world.base + number) for number in range(100)]
    for episode in episodes:
        await world.reach(episode, "pending")
    mailer.stop()
    await world.model.faults({"kind": "none", "delay_ms": 8000})
    world.start(MAILER_CONCURRENCY=100, LEASE_S=20)
    for episode in episodes:
        await world.reach(episode, "written")
    assert await world.db.fetchval("SELECT max(attempts) FROM episodes") == 1
    first = await world.db.fetchval("SELECT min(at) FROM episode_history WHERE to_state = 'draft'")
    begun = await world.db.fetchval("SELECT count(*) FROM model_calls WHERE at < $1", first)
    assert begun == 100, "they were not in flight together"
