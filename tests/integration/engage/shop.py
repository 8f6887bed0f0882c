"""A small shop whose changes are captured, relayed and scored by real processes."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from confluent_kafka import Producer
from pydantic import SecretStr

from common.cluster import Cluster
from common.codec import decode
from common.events import Data
from common.topics import AT_RISK, BACKFILL, LIVE, SCORES
from engage.broker import Broker
from engage.lag import measure
from engage.settings import Settings
from tests.integration.cdc_relay.running import command, environment, relay, wait_for
from tests.integration.scorer.workers import Worker, running
from tests.servers import PARTITIONS, Database, execute, from_anywhere

CLIENTS = 12
ORDERS = 60
FILL = (
    f"INSERT INTO clients (first_name) SELECT 'C' || n FROM generate_series(1, {CLIENTS}) n",
    # Five orders each, a month apart, the last one between ten days and a year ago.
    f"""INSERT INTO orders (client_id, ordered_at, amount, status)
        SELECT 1 + n % {CLIENTS}, now() - (10 + 30 * (n % {CLIENTS}) + 30 * (n / {CLIENTS}))
               * interval '1 day', 29.90, 'paid'
        FROM generate_series(0, {ORDERS - 1}) n""",
)


@dataclass(frozen=True)
class Shop:
    """How a test reaches the servers, and what the scorer has told."""

    settings: Settings
    database: Database
    broker: Broker

    def told(self, *topics: str) -> list[Data]:
        """Return the data of all committed events on some topics."""
        records = self.broker.read(self.broker.begins(topics), self.broker.ends(topics))
        return [decode(m.value()).data for m in records if m.value()]

    def scores(self) -> dict[int, dict[str, Any]]:
        """Return what the newest record says of each client, but for when it was said."""
        return {
            told.client_id: told.model_dump(exclude={"as_of", "merged"})  # type: ignore[attr-defined]
            for told in self.told(SCORES.name)
        }

    def episodes(self) -> list[tuple[str, str]]:
        """Return each opening and closing that was ever told."""
        return sorted((type(e).__name__, e.episode_id) for e in self.told(AT_RISK.name))  # type: ignore[attr-defined]

    def sent(self) -> dict[tuple[str, int], int]:
        """Return where the lanes end."""
        return self.broker.ends([LIVE.name, BACKFILL.name])

    def waiting(self, group: str, *topics: str) -> int:
        """Return how many records a group is behind."""
        return measure(self.broker, "-", group, topics, members=1, now=0.0).records

    def write(self, topic: str, key: bytes, value: bytes, partition: int = 0, **more: Any) -> None:
        """Write one record."""
        producer = Producer({"bootstrap.servers": self.broker.cluster.servers})
        producer.produce(topic, value, key, partition, **more)
        assert producer.flush(30) == 0

    def ask(self, sql: str) -> Any:
        """Return what the superuser is told."""

        async def work() -> Any:
            connection = await asyncpg.connect(self.database.admin_url)
            try:
                return await connection.fetchval(sql)
            finally:
                await connection.close()

        return from_anywhere(work())


def settings_of(kafka: str, connect: str | None, database: Database) -> Settings:
    """Return the settings of an operator of these servers."""
    return Settings(
        kafka_bootstrap_servers=kafka,
        topic_partitions=PARTITIONS,
        connect_url=connect,
        engage_database_url=SecretStr(database.engage_url),
    )


@contextlib.contextmanager
def open_shop(kafka: str, connect: str, database: Database, folder: Path) -> Iterator[Shop]:
    """Fill a database, capture it, and run relay and scorer until all is scored."""
    execute(database.client_api_url, *FILL)
    env = environment(kafka, CONNECT_URL=connect, **database.cdc_environment)
    shop = Shop(settings_of(kafka, connect, database), database, Broker(Cluster(kafka)))
    worker = Worker(kafka, folder)
    with relay(kafka, folder) as process:
        process.ready()
        done = command(env, "connector")
        assert done.returncode == 0, done.stderr
        with running(worker):
            wait_for("every client is scored", lambda: len(shop.scores()) == CLIENTS, 120)
            wait_for("the snapshot is over", lambda: process.logged("snapshot is over"), 120)
            wait_for("all orders are merged", lambda: len(shop.told(BACKFILL.name)) >= ORDERS, 60)
            wait_for("somebody is at risk", shop.episodes, 120)
            settle(shop)
            yield shop


def settle(shop: Shop) -> None:
    """Wait until the scorer has passed the lanes."""
    lanes = (LIVE.name, BACKFILL.name)
    wait_for("the lanes are scored", lambda: not shop.waiting("scorer", *lanes), 120)
