"""One mailer against a model that takes a second: emails a second, calls in flight, memory.

Real are Postgres (durable, as in production), its schema, a broker, since the mailer insists on
one, and HTTP. The backlog is put into the queue's table at once; the sandbox is the model.
"""

import asyncio
import bisect
import json
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import asyncpg

from bench.errors import BenchFailed
from bench.runner import cpu_s, family_cpu_s, peak_mb
from bench.shop import migrated
from bench.show import now_and_then, say
from common.cluster import Cluster
from common.kafka import create_topics
from common.policy import ShopPolicy
from common.topics import TOPICS
from stack import http
from stack.environment import base
from stack.kafka import Kafka
from stack.places import HOST, free_port
from stack.postgres import Postgres
from stack.process import Process

DELAY_S = 1.0
IN_FLIGHT = 200
WARM = 400
PARTITIONS = 4
POLICY = 2
READY_LIMIT_S = 60.0
SLOWEST_PER_S = 20
"""A mailer that is slower than this has failed."""
STEADY = (0.1, 0.9)
"""The first and the last of the emails are not counted: filling up, and running dry."""
TICK_S = 0.05
SILENT_DAYS = 60
NAMES = ("Anna", "Bea", "Carlo", "Dora", "Emil", "Frida", "Gina", "Hugo")
CATEGORIES = ("shoes", "dresses", "scarves", "hats", "coats")


class Servers(NamedTuple):
    """What stands around the mailer."""

    postgres: Postgres
    database_url: str
    mailer_env: dict[str, str]
    sandbox: Process
    journal: Path
    health: str


def measure(folder: Path, emails: int) -> dict[str, float]:
    """Let one mailer write so many emails; return its figures."""
    with ExitStack() as stack:
        servers = _start(stack, folder)
        mailer = Process(
            "mailer",
            [sys.executable, "-m", "mailer"],
            folder / "mailer.log",
            env=servers.mailer_env,
        )
        stack.callback(mailer.stop)
        mailer.start_ready(lambda: http.check(servers.health), READY_LIMIT_S)
        asyncio.run(_fill(servers.database_url, 1, WARM))
        asyncio.run(_written(servers.database_url, 1, WARM))
        parts = {"mailer": mailer, "sandbox": servers.sandbox}
        say(f"emails: {emails:,} episodes for one mailer, {IN_FLIGHT} calls at once of {DELAY_S} s")
        asyncio.run(_fill(servers.database_url, WARM + 1, emails))
        before = {name: cpu_s(part) for name, part in parts.items()}
        database_before = family_cpu_s(servers.postgres.process)
        moments = asyncio.run(_written(servers.database_url, WARM + 1, emails))
        figures = {
            f"emails.{name}_cpu_ms": (cpu_s(part) - before[name]) * 1000 / emails
            for name, part in parts.items()
        }
        spent = family_cpu_s(servers.postgres.process) - database_before
        figures["emails.postgres_cpu_ms"] = spent * 1000 / emails
        figures["memory_mb.mailer"] = peak_mb(mailer)
    first, last = (int(part * len(moments)) for part in STEADY)
    arrived = _arrivals(servers.journal)
    at_work = [_in_flight(arrived, moment) for moment in _ticks(moments[first], moments[last])]
    return figures | {
        "emails.per_s": (last - first) / (moments[last] - moments[first]),
        "emails.calls_in_flight": statistics.median(at_work),
    }


def _start(stack: ExitStack, folder: Path) -> Servers:
    postgres = stack.enter_context(Postgres.start(folder / "postgres"))
    kafka = stack.enter_context(Kafka.start(folder / "kafka"))
    create_topics(Cluster(kafka.bootstrap_servers), TOPICS, PARTITIONS, 1)
    shop = migrated(postgres, folder)
    port, health, journal = free_port(), free_port(), folder / "journal.jsonl"
    sandbox = Process(
        "sandbox",
        [sys.executable, "-m", "sandbox"],
        folder / "sandbox.log",
        env=base()
        | {
            "SANDBOX_PORT": str(port),
            "SANDBOX_JOURNAL": str(journal),
            "SANDBOX_DELAY_MS": str(round(DELAY_S * 1000)),
        },
    )
    stack.callback(sandbox.stop)
    sandbox.start_ready(lambda: http.check(f"http://{HOST}:{port}/livez"), READY_LIMIT_S)
    mailer_env = base() | {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "TOPIC_PARTITIONS": str(PARTITIONS),
        "DATABASE_URL": shop.urls["mailer"],
        "OPENROUTER_BASE_URL": f"http://{HOST}:{port}/api/v1",
        "OPENROUTER_API_KEY": "sandbox",
        "OPENROUTER_MODEL": "sandbox/writer-1",
        "OPENROUTER_PROVIDER": "sandbox",
        "MODEL_SANDBOX": "true",
        "HOLDOUT_SALT": "bench",
        "MAILER_CONCURRENCY": str(IN_FLIGHT),
        "HEALTH_PORT": str(health),
    }
    asyncio.run(_publish_policy(shop.admin_url))
    return Servers(
        postgres, shop.admin_url, mailer_env, sandbox, journal, f"http://{HOST}:{health}/readyz"
    )


async def _publish_policy(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "INSERT INTO policies (id, document, created_by) VALUES ($1, $2, 'bench')",
            POLICY,
            ShopPolicy(version=POLICY, holdout_percent=0).model_dump_json(),
        )
    finally:
        await connection.close()


async def _written(url: str, first: int, emails: int) -> list[float]:
    """Wait until the backlog of so many clients is written; return when each email was."""
    connection = await asyncpg.connect(url)
    try:
        ids = (first, first + emails - 1)
        end = time.monotonic() + READY_LIMIT_S + emails / SLOWEST_PER_S
        while (done := await connection.fetchval(COUNT, *ids)) < emails:
            if time.monotonic() > end:
                raise BenchFailed(f"the mailer wrote {done} of {emails} emails in time")
            now_and_then(f"emails: {done:,} of {emails:,}")
            await asyncio.sleep(0.5)
        rows = await connection.fetch(WRITTEN, *ids)
    finally:
        await connection.close()
    return [row["at"].timestamp() for row in rows]


COUNT = "SELECT count(*) FROM episodes WHERE state = 'written' AND client_id BETWEEN $1 AND $2"
WRITTEN = """
    SELECT at FROM episode_history h JOIN episodes e ON e.id = h.episode_id
    WHERE to_state = 'written' AND client_id BETWEEN $1 AND $2 ORDER BY at
"""


async def _fill(url: str, first: int, count: int) -> None:
    """Make clients with two orders each, and an episode in the queue for each of them."""
    connection = await asyncpg.connect(url)
    try:
        await _copy(connection, first, count)
    finally:
        await connection.close()


async def _copy(connection: "asyncpg.Connection[asyncpg.Record]", first: int, count: int) -> None:
    now = datetime.now(UTC)
    last = now.date() - timedelta(days=SILENT_DAYS)
    ids = range(first, first + count)
    people = [(i, NAMES[i % len(NAMES)], ["boho", "vintage"]) for i in ids]
    orders = [
        (i, now - timedelta(days=SILENT_DAYS + days), 50 + i % 100, "paid", category)
        for i in ids
        for days, category in ((40, CATEGORIES[(i + 1) % 5]), (0, CATEGORIES[i % 5]))
    ]
    episodes = [
        (
            f"{i}:{last}",
            i,
            "pending",
            "fell at risk",
            "scorer",
            last,
            now.date(),
            *(now, 0.4, 50.0 + i % 100, POLICY, "{}"),
        )
        for i in ids
    ]
    begun = [(one[0], "pending", "fell at risk", "scorer") for one in episodes]
    async with connection.transaction():
        await connection.copy_records_to_table(
            "clients", records=people, columns=["id", "first_name", "style_tags"]
        )
        await connection.copy_records_to_table(
            "orders",
            records=orders,
            columns=["client_id", "ordered_at", "amount", "status", "category"],
        )
        await connection.copy_records_to_table("episodes", records=episodes, columns=EPISODE)
        await connection.copy_records_to_table(
            "episode_history",
            records=begun,
            columns=["episode_id", "to_state", "reason", "actor"],
        )


EPISODE = [
    *("id", "client_id", "state", "reason", "actor", "last_order_day", "crossing_day"),
    *("opened_as_of", "score", "value_at_risk", "policy_version", "event"),
]


def _arrivals(journal: Path) -> list[float]:
    """Return when each call reached the model, in order."""
    entries = (json.loads(line) for line in journal.read_text().splitlines())
    calls = (entry for entry in entries if entry["path"].endswith("/chat/completions"))
    return sorted(datetime.fromisoformat(entry["at"]).timestamp() for entry in calls)


def _ticks(begin: float, end: float) -> list[float]:
    """Return moments evenly spread, since emails are written several at a time."""
    return [begin + number * TICK_S for number in range(int((end - begin) / TICK_S))]


def _in_flight(arrived: Sequence[float], moment: float) -> int:
    """Return how many calls the model was busy with: each is for exactly its delay."""
    return bisect.bisect(arrived, moment) - bisect.bisect(arrived, moment - DELAY_S)
