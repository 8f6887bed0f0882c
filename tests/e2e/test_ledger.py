"""The books balance: every client's score equals a direct computation, whatever was killed."""

import asyncio
import random
import time
from datetime import UTC, datetime

import asyncpg
import httpx
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from stack.launcher import Stack
from tests.e2e import cdnow, reference
from tests.e2e.waiting import wait_for

SETTLED_LIMIT_S = 420.0
BULK_ROWS = 2_000
KILLS = 5
LANES = ("client.events", "client.events.backfill")
OPEN = ("held", "pending", "deferred", "writing", "draft", "written", "held_out")

pytestmark = pytest.mark.timeout(1_200)


def select(stack, query):
    """Return all rows of a query, read as the database's owner."""

    async def work():
        connection = await asyncpg.connect(stack.place.admin_url)
        try:
            return await connection.fetch(query)
        finally:
            await connection.close()

    return asyncio.run(work())


def stats(stack):
    """Return the API's counts."""
    return httpx.get(f"{stack.api_url}/api/stats", trust_env=False, timeout=30).json()


def load(stack, path, lines, between=lambda: None):
    """Load NDJSON lines through the API in requests of bounded size; all must be accepted."""
    with httpx.Client(base_url=stack.api_url, trust_env=False, timeout=120) as http:
        for start in range(0, len(lines), BULK_ROWS):
            some = lines[start : start + BULK_ROWS]
            answer = http.post(
                path,
                content=b"".join(some),
                headers={"Content-Type": "application/x-ndjson"},
            )
            assert answer.status_code == 200, answer.text
            assert answer.json()["accepted"] == len(some), answer.text
            between()


def events(stack):
    """Return (id, type) of every committed event on the lanes, and the scored clients."""
    reader = Consumer(
        {
            "bootstrap.servers": stack.place.bootstrap_servers,
            "group.id": "books",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
        }
    )
    places = [
        TopicPartition(topic, partition, OFFSET_BEGINNING)
        for topic in (*LANES, "client.scores")
        for partition in range(stack.place.partitions)
    ]
    reader.assign(places)
    seen, scored, left = set(), set(), len(places)
    deadline = time.monotonic() + 120
    while left:
        assert time.monotonic() < deadline, "the topics could not be read to their ends"
        for message in reader.consume(5_000, 1.0):
            error = message.error()
            if error is not None:
                assert error.code() == KafkaError._PARTITION_EOF
                left -= 1
            elif message.topic() == "client.scores":
                scored.add(message.key())
            else:
                seen.add(message.key())
    reader.close()
    return seen, scored


def settled(stack, history):
    """Wait until every row version that Postgres holds is merged into its client's score."""
    clients = len({purchase.client_id for purchase in history})
    behind_query = """
        SELECT count(*) AS behind FROM clients c LEFT JOIN score_features f ON f.client_id = c.id
        WHERE f.client_id IS NULL OR f.merged_version < greatest(c.version, (
            SELECT max(o.version) FROM orders o WHERE o.client_id = c.id))
    """

    def look():
        stack.parts.check()
        counts = stats(stack)["clients"]
        if counts["total"] != clients or counts["unscored"]:
            return None
        return True if select(stack, behind_query)[0]["behind"] == 0 else None

    wait_for("every row version is scored", look, SETTLED_LIMIT_S)


def assert_books_balance(stack, history):
    """Compare every stored score with the reference, and the counts with one another."""
    orders = cdnow.by_client(history)
    rows = select(
        stack,
        "SELECT s.client_id, s.as_of, s.score, s.state, f.crossing_day FROM scores s"
        " JOIN score_features f USING (client_id)"
        " WHERE s.as_of = (SELECT as_of FROM score_serving)",
    )
    assert {row["client_id"] for row in rows} == set(orders)
    assert len(rows) == len(orders)
    wrong = []
    for row in rows:
        score, state, crossing = reference.expected(orders[row["client_id"]], row["as_of"])
        exact = (score is None) == (row["score"] is None) and (
            score is None or abs(score - row["score"]) <= 1e-9
        )
        if not exact or state != row["state"] or crossing != row["crossing_day"]:
            wrong.append((dict(row), score, state, crossing))
    assert not wrong, f"{len(wrong)} of {len(rows)} differ, such as {wrong[:3]}"

    seen, scored = events(stack)
    assert seen == {f"{i}/client".encode() for i in orders} | {
        f"{purchase.client_id}/order/{purchase.order_id}".encode() for purchase in history
    }
    assert scored == {str(i).encode() for i in orders}
    counts = stats(stack)
    assert counts["clients"]["total"] == len(orders)
    assert counts["orders"]["total"] == len(history)
    assert sum(counts["clients"]["by_state"].values()) == len(orders)


def assert_episodes_fit(stack):
    """Each client at risk has its one open episode, and nobody else has any."""
    at_risk = {
        row["client_id"]: row["last_day"]
        for row in select(
            stack,
            "SELECT client_id, last_day FROM scores s JOIN score_features f USING (client_id)"
            " WHERE s.state = 'at_risk' AND s.as_of = (SELECT as_of FROM score_serving)",
        )
    }
    assert at_risk

    def look():
        stack.parts.check()
        open_ones = select(
            stack,
            "SELECT client_id, last_order_day, state FROM episodes"
            " WHERE state NOT IN ('recovered', 'held_out')",
        )
        out = select(
            stack,
            "SELECT client_id, last_order_day FROM episodes WHERE state = 'held_out'",
        )
        told = {(row["client_id"], row["last_order_day"]) for row in [*open_ones, *out]}
        fits = {(row["client_id"], row["last_order_day"]) for row in open_ones} <= set(
            at_risk.items()
        )
        return True if fits and set(at_risk.items()) <= told else None

    wait_for("each client at risk has its one open episode", look, SETTLED_LIMIT_S)
    twice = select(
        stack,
        "SELECT episode_id FROM model_calls WHERE outcome = 'accepted'"
        " GROUP BY 1 HAVING count(*) > 1",
    )
    assert twice == [], "a text was accepted twice for one episode"
    torn = select(
        stack,
        "SELECT id FROM episodes e WHERE state = 'written' AND NOT EXISTS ("
        "SELECT FROM emails m WHERE m.episode_id = e.id)",
    )
    assert torn == []


def test_live_load(new_stack):
    """All of CDNOW, loaded live with capture on, gives the reference's books."""
    stack: Stack = new_stack()
    stack.start()
    history = cdnow.purchases(datetime.now(UTC).date())
    load(stack, "/api/clients/bulk", cdnow.client_lines(history))
    load(stack, "/api/orders/bulk", cdnow.order_lines(history))
    settled(stack, history)
    assert_books_balance(stack, history)
    assert_episodes_fit(stack)


def test_live_load_with_kills(new_stack):
    """The same after kill -9 of relay, scorer and mailer in mid-load, five times each."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    stack: Stack = new_stack()
    stack.start()
    history = cdnow.purchases(datetime.now(UTC).date())
    lines = cdnow.order_lines(history)
    requests = -(-len(lines) // BULK_ROWS)
    victims = ["relay", "scorer", "mailer"] * KILLS
    chance.shuffle(victims)
    at = sorted(chance.sample(range(requests), len(victims)))
    plan = dict(zip(at, victims, strict=True))
    done = iter(range(requests))

    def between():
        victim = plan.get(next(done))
        if victim is not None:
            stack.parts.kill(victim)
            stack.parts.restart(victim)

    load(stack, "/api/clients/bulk", cdnow.client_lines(history))
    load(stack, "/api/orders/bulk", lines, between)
    settled(stack, history)
    assert_books_balance(stack, history)
    assert_episodes_fit(stack)


def test_snapshot_load(new_stack):
    """All of CDNOW, in Postgres before capture starts, gives the same books, and nobody is told."""
    stack: Stack = new_stack()
    stack.start_servers()
    stack.start_api()
    history = cdnow.purchases(datetime.now(UTC).date())
    load(stack, "/api/clients/bulk", cdnow.client_lines(history))
    load(stack, "/api/orders/bulk", cdnow.order_lines(history))
    stack.start_pipeline()
    settled(stack, history)
    assert_books_balance(stack, history)
    assert_episodes_fit(stack)
    old = select(
        stack,
        "SELECT state, count(*) FROM episodes"
        " WHERE crossing_day < opened_as_of::date - 3 GROUP BY state",
    )
    assert {row["state"] for row in old} == {"held", "held_out"}
