"""A world for each test of the mailer."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from common.cluster import Cluster
from common.kafka import create_topics
from common.topics import TOPICS
from stack.places import free_port
from tests.integration.mailer.desk import Desk, open_desk
from tests.integration.mailer.world import PROVIDER, Model, Process, World, until
from tests.servers import PARTITIONS, Database, kafka_server


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One broker for all tests of the mailer: each has clients of its own."""
    with kafka_server(tmp_path_factory.mktemp("kafka")) as servers:
        create_topics(Cluster(servers), TOPICS, PARTITIONS, 1)
        yield servers


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, Path]]:
    """A running sandbox, and its journal."""
    folder = tmp_path_factory.mktemp("sandbox")
    port, journal = free_port(), folder / "journal.jsonl"
    env = {
        "SANDBOX_PORT": str(port),
        "SANDBOX_JOURNAL": str(journal),
        "SANDBOX_PROVIDER": PROVIDER,
    }
    process = Process("sandbox", env, folder / "sandbox.log", port)
    try:
        yield process, journal
    finally:
        process.stop()


@pytest.fixture
async def model(sandbox: tuple[Process, Path]) -> Model:
    """The sandbox without faults and with an empty journal."""
    process, journal = sandbox
    await until(lambda: process.healthy("/livez"))
    model = Model(process, journal)
    await model.faults()
    return model


@pytest.fixture
async def world(
    database: Database, kafka: str, model: Model, tmp_path: Path
) -> AsyncIterator[World]:
    """All that a mailer needs; it stops every mailer that the test started."""
    db = await asyncpg.connect(database.admin_url)
    world = World(database, kafka, model, tmp_path, db)
    try:
        yield world
    finally:
        for process in world.processes:
            process.stop()
        await db.close()


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> AsyncIterator[Desk]:
    """The mailer's parts, and a ledger that adds up when the test is over."""
    async with open_desk(database, tmp_path) as desk:
        yield desk
        await desk.check()
