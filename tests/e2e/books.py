"""The books of a running system: what Postgres and the topics hold, against the reference.

Nothing of the scorer is asked but what it told: the scores served, the events, the episodes.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, TypeVar

import asyncpg
import httpx
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from stack.launcher import Stack
from stack.tokens import As
from tests.e2e import reference
from tests.e2e.waiting import wait_for

SETTLED_LIMIT_S = 420.0
BULK_ROWS = 2_000
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
LANES = ("client.events", "client.events.backfill")

BEHIND = """
    SELECT count(*) FROM clients c LEFT JOIN score_features f ON f.client_id = c.id
    WHERE f.client_id IS NULL OR f.policy_version <> (SELECT max(id) FROM policies)
       OR f.merged_version < greatest(c.version, (
            SELECT max(o.version) FROM orders o WHERE o.client_id = c.id))
"""
"""Clients with a row version, or a policy, that their stored score does not know yet."""
ORDERS = """
    SELECT client_id, (ordered_at AT TIME ZONE 'UTC')::date AS day, amount::float8 AS amount, status
    FROM orders WHERE ordered_at >= '0001-01-01Z'
"""
SERVED = """
    SELECT s.client_id, s.as_of, s.score, s.state, f.order_days, f.last_day, f.crossing_day, f.exit
    FROM scores s JOIN score_features f USING (client_id)
    WHERE s.as_of = (SELECT as_of FROM score_serving)
"""

T = TypeVar("T")
Orders = dict[int, list[tuple[date, float]]]
Refused = asyncpg.PostgresError
"""What a statement raises that Postgres does not accept."""


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread of its own: where a browser is open this one has an event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def select(stack: Stack, query: str) -> list[Any]:
    """Return all rows of a query, read as the database's owner."""

    async def work() -> list[Any]:
        connection = await asyncpg.connect(stack.place.admin_url)
        try:
            return list(await connection.fetch(query))
        finally:
            await connection.close()

    return _run(work())


def execute(stack: Stack, *statements: str) -> None:
    """Run SQL statements as the database's owner, all in one transaction."""

    async def work() -> None:
        connection = await asyncpg.connect(stack.place.admin_url)
        try:
            async with connection.transaction():
                for statement in statements:
                    await connection.execute(statement)
        finally:
            await connection.close()

    _run(work())


def seen(stack: Stack, path: str) -> Any:
    """Read one document of the API."""
    answer = httpx.get(
        f"{stack.api_url}{path}", auth=As(stack.issuer_url), trust_env=False, timeout=30
    )
    return answer.json()


def stats(stack: Stack) -> Any:
    """Return the API's counts."""
    return seen(stack, "/api/stats")


def publish(stack: Stack, **changes: Any) -> dict[str, Any]:
    """Put a changed policy in force through the API; return its document."""
    with httpx.Client(
        base_url=stack.api_url, auth=As(stack.issuer_url), trust_env=False, timeout=30
    ) as http:
        document = http.get("/api/policies/current").json()["document"] | changes
        document.pop("version", None)
        answer = http.post("/api/policies", json={"document": document})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()["document"]
        return found


def load(stack: Stack, path: str, lines: list[bytes], between: Any = lambda: None) -> None:
    """Load NDJSON lines through the API in requests of bounded size; all must be accepted."""
    with httpx.Client(
        base_url=stack.api_url, auth=As(stack.issuer_url), trust_env=False, timeout=120
    ) as http:
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


def read(stack: Stack, *topics: str, partitions: int | None = None) -> list[Any]:
    """Return every committed record of topics, to their ends; by default as many partitions each
    as topics have that are partitioned by client.
    """
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
        for topic in topics
        for partition in range(partitions or stack.place.partitions)
    ]
    reader.assign(places)
    found, left = [], {(place.topic, place.partition) for place in places}
    deadline = time.monotonic() + 120
    while left:
        assert time.monotonic() < deadline, "the topics could not be read to their ends"
        for message in reader.consume(5_000, 1.0):
            error = message.error()
            if error is None:
                found.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                left.discard((message.topic(), message.partition()))
            else:
                assert error.retriable(), error
    reader.close()
    return found


def dead_letters(stack: Stack, source: str) -> list[bytes]:
    """Return the reasons of the dead letters of a topic, in order."""
    letters = read(stack, f"{source}.dlq", partitions=1)
    return [dict(letter.headers())["reason"] for letter in letters]


def snapshot_over(stack: Stack, since: float) -> float | None:
    """Return when the broker was told last, after ``since``, that a snapshot is over; wall time.

    None unless every partition was told so, after it was told that one begins.
    """
    told: dict[int, list[tuple[float, bool]]] = {}
    for message in read(stack, "scorer.control"):
        at = message.timestamp()[1] / 1000
        if message.key() == b"snapshot" and at >= since:
            active = json.loads(message.value())["data"]["active"]
            told.setdefault(message.partition(), []).append((at, active))
    if len(told) < stack.place.partitions or any(some[-1][1] for some in told.values()):
        return None
    assert all(some[0][1] for some in told.values()), "over, but it was never told to begin"
    return min(some[-1][0] for some in told.values())


def opened_at(stack: Stack, client: int) -> list[float]:
    """Return when episodes of a client were opened, by the records' wall time."""
    return [
        message.timestamp()[1] / 1000
        for message in read(stack, "client.at-risk")
        if message.key() == b"%d" % client
        and json.loads(message.value())["type"] == "episode.opened.v1"
    ]


def unsettled(stack: Stack) -> int:
    """Count the clients with a row version, or a policy, that their score does not know yet."""
    found: int = select(stack, BEHIND)[0][0]
    return found


def settled(stack: Stack, limit_s: float = SETTLED_LIMIT_S) -> None:
    """Wait until every row version that Postgres holds is merged into its client's score."""

    def look() -> bool | None:
        stack.parts.check()
        return True if unsettled(stack) == 0 else None

    wait_for("every row version is scored", look, limit_s)


def orders_of(stack: Stack) -> Orders:
    """Return each client's (date, amount) pairs that may count, as Postgres holds them."""
    orders: Orders = {row["id"]: [] for row in select(stack, "SELECT id FROM clients")}
    for row in select(stack, ORDERS):
        if row["status"] in reference.COUNTING:
            orders[row["client_id"]].append((row["day"], row["amount"]))
    return orders


def rules_in_force(stack: Stack) -> reference.Rules:
    """Return the rules of the latest policy."""
    return reference.rules_of(seen(stack, "/api/policies/current")["document"])


def mismatches(stack: Stack, orders: Orders) -> list[str]:
    """Compare every score, state and crossing day served with the reference, one line for each."""
    rows = {row["client_id"]: row for row in select(stack, SERVED)}
    rules = rules_in_force(stack)
    wrong = [f"{client}: served, but is no client" for client in rows.keys() - orders.keys()]
    wrong += [f"{client}: not served" for client in orders.keys() - rows.keys()]
    for client in rows.keys() & orders.keys():
        row = rows[client]
        score, state, crossing = reference.expected(orders[client], row["as_of"], rules)
        exact = (score is None) == (row["score"] is None) and (
            score is None or abs(score - row["score"]) <= 1e-9
        )
        if not exact or (state, crossing) != (row["state"], row["crossing_day"]):
            wrong.append(f"{client}: {dict(row)} should be {(score, state, crossing)}")
    return wrong


def agreed(stack: Stack, limit_s: float = SETTLED_LIMIT_S) -> Orders:
    """Wait until what is served is what the reference makes of the rows in Postgres.

    A removed order leaves no version behind to wait for, so equality itself is waited for.
    """
    settled(stack, limit_s)
    orders = orders_of(stack)
    seen: list[str] = []

    def look() -> bool | None:
        stack.parts.check()
        seen[:] = mismatches(stack, orders)
        return None if seen else True

    try:
        wait_for("all scores are the reference's", look, min(limit_s, 60.0))
    except AssertionError:
        raise AssertionError(f"{len(seen)} of {len(orders)} differ, such as {seen[:3]}") from None
    return orders


def served_hash(stack: Stack) -> str:
    """Return a digest of all that is served of all clients."""
    return _digest(
        (row["client_id"], row["score"], row["state"], row["crossing_day"])
        for row in select(stack, SERVED)
    )


def reference_hash(stack: Stack, orders: Orders) -> str:
    """Return the digest that ``served_hash`` must give."""
    [row] = select(stack, "SELECT as_of FROM score_serving")
    rules = rules_in_force(stack)
    return _digest(
        (client, *reference.expected(some, row["as_of"], rules)) for client, some in orders.items()
    )


def hash_told(told: dict[int, dict[str, Any]]) -> str:
    """Return the digest of scores as ``client.scores`` tells them, by client."""

    def day(number: int | None) -> date | None:
        return None if number is None else date.fromordinal(EPOCH_ORDINAL + number)

    return _digest(
        (client, some["score"], some["state"], day(some["crossing_day"]))
        for client, some in told.items()
    )


def _digest(rows: Any) -> str:
    digest = hashlib.sha256()
    for client, score, state, crossing in sorted(rows, key=lambda row: row[0]):
        shown = "-" if score is None else f"{score:.7f}"
        digest.update(f"{client} {shown} {state} {crossing}\n".encode())
    return digest.hexdigest()


def episodes_missing(stack: Stack) -> list[str]:
    """Name the clients at risk whose silence has no episode."""
    known = {
        (row["client_id"], row["last_order_day"])
        for row in select(
            stack,
            "SELECT client_id, last_order_day FROM episodes"
            " WHERE state NOT IN ('recovered', 'suppressed')"
            # Opened again long after the crossing: it waits for a person where it stands.
            " OR (state = 'recovered' AND reason LIKE '%a person may release it')",
        )
    }
    return [
        f"{row['client_id']}: at risk, but there is no episode"
        for row in select(stack, SERVED)
        if row["state"] == "at_risk" and (row["client_id"], row["last_day"]) not in known
    ]


def episodes_astray(stack: Stack) -> list[str]:
    """Name the open episodes that fit no client's silence, and those with more than one text."""
    rows = {row["client_id"]: row for row in select(stack, SERVED)}
    # What is held out is never written to, so nobody closes it.
    open_ones = select(
        stack,
        "SELECT id, client_id, last_order_day, state FROM episodes"
        " WHERE state NOT IN ('recovered', 'suppressed', 'held_out')",
    )
    astray = [
        f"{row['id']}: {row['state']}, but the silence is over"
        for row in open_ones
        if not _still(rows.get(row["client_id"]), row)
    ]
    twice = select(
        stack,
        "SELECT episode_id FROM model_calls WHERE outcome = 'accepted'"
        " GROUP BY 1 HAVING count(*) > 1",
    )
    torn = select(
        stack,
        "SELECT id FROM episodes e WHERE state = 'written' AND NOT EXISTS ("
        "SELECT FROM emails m WHERE m.episode_id = e.id)",
    )
    astray += [f"{row['episode_id']}: a text was accepted twice" for row in twice]
    return astray + [f"{row['id']}: written, but there is no text" for row in torn]


def assert_episodes_fit(stack: Stack, limit_s: float = SETTLED_LIMIT_S) -> None:
    """Each client at risk has its one open episode, nobody else has any, and none has two texts."""
    seen: list[str] = []

    def look() -> bool | None:
        stack.parts.check()
        seen[:] = [*episodes_missing(stack), *episodes_astray(stack)]
        return None if seen else True

    try:
        wait_for("each client at risk has its one open episode", look, limit_s)
    except AssertionError:
        raise AssertionError(f"{len(seen)} episodes do not fit, such as {seen[:3]}") from None


def _still(row: Any, episode: Any) -> bool:
    """Tell whether an open episode is of its client's present silence, and not yet over."""
    if row is None or row["last_day"] != episode["last_order_day"]:
        return False
    if row["state"] in {"at_risk", "lapsed"}:
        return True
    # Between entry and exit an opened episode stays open; one order-day has neither.
    return row["exit"] is not None and row["score"] <= row["exit"]
