"""Real servers as fixtures; one interface, whether they run in containers or in the stack's way."""

from collections.abc import Iterator

import pytest

from common.cluster import Cluster
from common.kafka import create_topics
from common.topics import TOPICS
from tests.servers import (
    PARTITIONS,
    Database,
    connect_server,
    kafka_server,
    migrated_database,
    postgres_server,
)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Postgres server with logical decoding: its superuser's URL."""
    with postgres_server(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_template(postgres: str) -> Iterator[str]:
    """The name of a migrated database that nobody uses but to copy it: migrating takes longer."""
    with migrated_database(postgres) as template:
        yield template.name


@pytest.fixture
def database(postgres: str, migrated_template: str) -> Iterator[Database]:
    """A fresh, migrated database for one test."""
    with migrated_database(postgres, migrated_template) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fresh broker with all our topics: its bootstrap servers."""
    with kafka_server(tmp_path_factory.mktemp("kafka")) as servers:
        create_topics(Cluster(servers), TOPICS, PARTITIONS, 1)
        yield servers


@pytest.fixture(scope="module")
def connect(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fresh Connect worker with Debezium on the module's broker: its URL."""
    with connect_server(tmp_path_factory.mktemp("connect"), kafka) as url:
        yield url
