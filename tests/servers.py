"""Single real servers for tests: in containers where a Docker engine answers, else the stack's."""

import asyncio
import contextlib
import functools
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from stack.connect import Connect
from stack.kafka import Kafka
from stack.places import HOST, ROOT, free_port
from stack.postgres import Postgres

PARTITIONS = 4
POSTGRES_IMAGE = "postgres:17.6"
KAFKA_IMAGE = "apache/kafka:4.3.1"
KAFKA_FILES = ROOT / "deploy" / "kafka"
KAFKA_SCRIPT = "/etc/engagement/start.sh"
KAFKA_LOGGING = "/etc/engagement/log4j2.properties"
MIGRATE_LIMIT_S = 120
DOCKER_LIMIT_S = 10

# Roles belong to the server, not to a database: all databases of a session share these.
CLIENT_API_PASSWORD = "client-api-of-the-tests"
MAILER_PASSWORD = "mailer-of-the-tests"
CDC_PASSWORD = "cdc-of-the-tests"
ENGAGE_PASSWORD = "engage-of-the-tests"

T = TypeVar("T")


@functools.cache
def docker_answers() -> bool:
    """Tell whether a Docker engine answers here; with TEST_SERVERS=containers one must."""
    if os.environ.get("TEST_SERVERS") == "containers":
        return True
    command = shutil.which("docker")
    if command is None:
        return False
    with contextlib.suppress(subprocess.TimeoutExpired):
        asked = [command, "version", "--format", "{{.Server.Version}}"]
        done = subprocess.run(asked, capture_output=True, timeout=DOCKER_LIMIT_S, check=False)
        return done.returncode == 0
    return False


@contextlib.contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """Run a Postgres with logical decoding; yield its superuser's URL."""
    if not docker_answers():
        with Postgres.start(folder, durable=False) as server:
            yield server.admin_url
        return
    container = PostgresContainer(POSTGRES_IMAGE, dbname="postgres", driver=None).with_command(
        "postgres -c wal_level=logical -c fsync=off -c max_slot_wal_keep_size=4GB"
    )
    with container as running:
        yield running.get_connection_url().replace("localhost", "127.0.0.1")


@contextlib.contextmanager
def kafka_server(folder: Path) -> Iterator[str]:
    """Run an empty Kafka broker that makes no topics by itself; yield its bootstrap servers."""
    if not docker_answers():
        with Kafka.start(folder) as server:
            yield server.bootstrap_servers
        return
    # The broker tells its clients where it is, so it must know its port before it starts.
    port = free_port()
    listeners = f"PLAINTEXT://0.0.0.0:{port},CONTROLLER://127.0.0.1:9093"
    container = (
        DockerContainer(KAFKA_IMAGE, entrypoint=["bash", KAFKA_SCRIPT])
        .with_volume_mapping(str(KAFKA_FILES), str(Path(KAFKA_SCRIPT).parent), "ro")
        .with_command(
            [
                *("--override", f"listeners={listeners}"),
                *("--override", f"advertised.listeners=PLAINTEXT://{HOST}:{port}"),
            ]
        )
        .with_env("KAFKA_HEAP_OPTS", "-Xmx512m")
        .with_env("KAFKA_LOG4J_OPTS", f"-Dlog4j2.configurationFile={KAFKA_LOGGING}")
        .with_bind_ports(port, port)
        .waiting_for(LogMessageWaitStrategy("Kafka Server started"))
    )
    with container:
        yield f"{HOST}:{port}"


@contextlib.contextmanager
def connect_server(folder: Path, bootstrap_servers: str) -> Iterator[str]:
    """Run a Connect worker with Debezium on a broker; yield its URL.

    Always the stack's own: it must reach the other servers under the very addresses that the tests
    use, which a container could not.
    """
    secrets = {"CDC_DATABASE_PASSWORD": CDC_PASSWORD}
    with Connect.start(folder, bootstrap_servers, secrets=secrets) as server:
        yield server.url


@dataclass(frozen=True)
class Database:
    """A migrated database of one test, and how each role reaches it."""

    name: str
    admin_url: str
    """The superuser's URL of this database."""

    @property
    def host(self) -> str:
        """The server's address."""
        return urlsplit(self.admin_url).hostname or ""

    @property
    def port(self) -> int:
        """The server's port."""
        return urlsplit(self.admin_url).port or 0

    def url(self, role: str, password: str) -> str:
        """Return the URL of this database for a role."""
        return f"postgresql://{role}:{password}@{self.host}:{self.port}/{self.name}"

    @property
    def client_api_url(self) -> str:
        """What client-api and the projector use."""
        return self.url("client_api", CLIENT_API_PASSWORD)

    @property
    def mailer_url(self) -> str:
        """What the mailer uses."""
        return self.url("mailer", MAILER_PASSWORD)

    @property
    def engage_url(self) -> str:
        """What operators use."""
        return self.url("engage", ENGAGE_PASSWORD)

    @property
    def cdc_environment(self) -> dict[str, str]:
        """What the relay's connector command takes from its environment."""
        return {
            "CDC_DATABASE_HOST": self.host,
            "CDC_DATABASE_PORT": str(self.port),
            "CDC_DATABASE_NAME": self.name,
            "CDC_DATABASE_USER": "cdc",
        }


@contextlib.contextmanager
def migrated_database(server_url: str, template: str | None = None) -> Iterator[Database]:
    """Make a database, migrated or copied from a migrated one; at last drop it and its slots."""
    name = f"engage_{uuid4().hex[:12]}"
    copy = f' TEMPLATE "{template}"' if template else ""
    execute(server_url, f'CREATE DATABASE "{name}"{copy}')
    database = Database(name, urlunsplit(urlsplit(server_url)._replace(path=f"/{name}")))
    try:
        if template is None:
            migrate(database.admin_url)
        yield database
    finally:
        execute(
            server_url,
            "SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots"
            f" WHERE database = '{name}' AND active",
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
            f" WHERE database = '{name}'",
            f'DROP DATABASE "{name}" WITH (FORCE)',
        )


def migrate(admin_url: str) -> None:
    """Bring a database to the newest schema, as a deployment does."""
    done = subprocess.run(
        [sys.executable, "-m", "client_api", "migrate"],
        env={
            **os.environ,
            "DATABASE_ADMIN_URL": admin_url,
            "CLIENT_API_PASSWORD": CLIENT_API_PASSWORD,
            "MAILER_PASSWORD": MAILER_PASSWORD,
            "CDC_PASSWORD": CDC_PASSWORD,
            "ENGAGE_PASSWORD": ENGAGE_PASSWORD,
        },
        capture_output=True,
        text=True,
        timeout=MIGRATE_LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, f"the migration failed:\n{done.stdout}{done.stderr}"


def execute(url: str, *statements: str) -> None:
    """Run SQL statements one by one, each in a transaction of its own."""

    async def work() -> None:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    from_anywhere(work())


def from_anywhere(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a thread of its own, whether or not a loop runs in ours."""
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(asyncio.run(work))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            result.set_exception(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return result.result()
