"""The projector as a process: from the topic to the table, with everything odd on the way."""

import time
from pathlib import Path
from statistics import median

import asyncpg
import httpx
import pytest
from confluent_kafka import Consumer, TopicPartition

from common import kafka
from common.cluster import Cluster
from common.topics import SCORES
from tests.groups import committed, ends, whole
from tests.integration.client_api.processes import ready, running, scores_writer, starting
from tests.integration.client_api.serving import until
from tests.scored import ledger, record, scored
from tests.servers import PARTITIONS, Database

GENERATIONS = "SELECT array_agg(DISTINCT generation) FROM score_features"


@pytest.fixture
def environment(database: Database, kafka: str) -> dict[str, str]:
    """What the projector needs to know."""
    return {"DATABASE_URL": database.client_api_url, "KAFKA_BOOTSTRAP_SERVERS": kafka}


def _dead_letters(servers: str, group: str) -> list[tuple[bytes | None, dict[str, bytes]]]:
    """Return value and headers of all parked records."""
    letters = whole(kafka.consumer(Cluster(servers), group), f"{SCORES.name}.dlq")
    return [(letter.value(), dict(letter.headers() or [])) for letter in letters]


def _lag(servers: str) -> int:
    """Return how many records the group has yet to commit."""
    reader = Consumer({"bootstrap.servers": servers, "group.id": "projector"})
    places = [TopicPartition(SCORES.name, number) for number in range(PARTITIONS)]
    lag = 0
    for place in committed(reader, places):
        _, end = ends(reader, place)
        lag += end - max(place.offset, 0)
    reader.close()
    return lag


async def test_a_record_is_in_the_table_at_once_and_odd_ones_are_parked(
    environment: dict[str, str], admin: asyncpg.Connection, kafka: str, tmp_path: Path
) -> None:
    """Good records take a fraction of a second; poison is parked with its reason."""
    await admin.execute("INSERT INTO clients (first_name) SELECT 'C' FROM generate_series(1, 50)")
    async with running("project", tmp_path, environment) as projector:
        with scores_writer(kafka) as scores:
            took_s = []
            for version in range(1, 21):
                started = time.monotonic()
                scores.scored(scored(1, ledger([9, version]), version=version))
                await until(
                    lambda v=version: admin.fetchval(
                        "SELECT merged_version = $1 FROM score_features", v
                    )
                )
                took_s.append(time.monotonic() - started)
            assert median(took_s) < 0.3
            good = _good(2)
            scores.raw(2, b"not json")
            scores.raw(2, b'{"type": "client.scored.v9"}')
            scores.raw(2, good.replace(b'"client_id":2', b'"client_id":3'))
            scores.raw(2, good.replace(b'"policy_version":1', b'"policy_version":77'))
            scores.raw(2, good.replace(b'"n":2', b'"n":0'))
            scores.raw(2, good.replace(b'"frequency":', b'"frequency":NaN,"was":'))
            scores.raw(2, good.replace(b'"first_day":', b'"first_day":-99999999999,"was":'))
            scores.raw(2, good, key=b"two")
            scores.scored(scored(2, ledger([4]), generation=2))
            scores.scored(*(scored(i, ledger([4]), version=2) for i in range(2, 51)))
            await until(lambda: admin.fetchval("SELECT count(*) = 50 FROM scores"))
            scores.raw(1, None)
            scores.flush()
        await until(lambda: admin.fetchval("SELECT count(*) = 49 FROM scores"))
        generations = await admin.fetchval(GENERATIONS)
        assert sorted(generations) == [1, 2], "a later generation is taken, and wins"
        reasons = [headers["reason"].decode() for _, headers in _dead_letters(kafka, "t1")]
        assert reasons == [
            "not_an_event",
            "unknown_type",
            "wrong_key",
            "unknown_policy",
            "out_of_range",
            "not_finite",
            "out_of_range",
            "no_client",
        ]
        async with httpx.AsyncClient() as http:
            checks = (await http.get(f"{projector.url}/readyz")).json()["checks"]
        assert checks == ["loop", "days", "scores-stream", "postgres", "figures"]
        assert projector.stop() == 0
    assert _lag(kafka) == 0


def _good(client_id: int) -> bytes:
    """Return a good record's bytes."""
    return record(scored(client_id, ledger([9, 4])))


async def test_a_projector_that_was_killed_goes_on_and_ends_right(
    environment: dict[str, str], admin: asyncpg.Connection, kafka: str, tmp_path: Path
) -> None:
    """Kill -9 in mid-load, three times: every client's newest score is there in the end."""
    clients = 200
    await admin.execute(
        f"INSERT INTO clients (first_name) SELECT 'C' FROM generate_series(1, {clients})"
    )
    with scores_writer(kafka) as scores:
        for version in range(1000, 1004):
            async with running("project", tmp_path, environment) as projector:
                scores.scored(
                    *(scored(i, ledger([9, 4]), version=version) for i in range(1, clients + 1))
                )
                if version < 1003:
                    projector.process.kill()
                    continue
                await until(
                    lambda v=version: admin.fetchval(
                        "SELECT count(*) = 200 FROM score_features WHERE merged_version = $1", v
                    ),
                    30,
                )
    assert await admin.fetchval("SELECT count(*) FROM scores") == clients


async def test_a_restart_of_postgres_connections_is_ridden_out(
    environment: dict[str, str], admin: asyncpg.Connection, kafka: str, tmp_path: Path
) -> None:
    """Connections that Postgres drops are made again; nothing is lost, the process lives on."""
    await admin.execute("INSERT INTO clients (first_name) VALUES ('Ada')")
    async with running("project", tmp_path, environment) as projector:
        with scores_writer(kafka) as scores:
            for version in range(5000, 5005):
                await admin.execute(
                    """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                       WHERE application_name = 'projector'"""
                )
                scores.scored(scored(1, ledger([9, 4]), version=version))
                await until(
                    lambda v=version: admin.fetchval(
                        "SELECT merged_version = $1 FROM score_features", v
                    )
                )
        assert projector.stop() == 0


async def test_postgres_may_come_later_than_the_projector(
    environment: dict[str, str], admin: asyncpg.Connection, tmp_path: Path
) -> None:
    """A process that starts while Postgres takes nobody in waits for it, and says so."""
    name = await admin.fetchval("SELECT current_database()")
    await admin.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')
    patient = environment | {"START_WAIT_S": "60"}
    with starting("project", tmp_path, patient) as projector:

        async def waits() -> bool:
            return "DATABASE_URL cannot be used" in projector.logged()

        await until(waits, limit_s=30)
        assert projector.process.poll() is None
        await admin.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT -1')
        await ready(projector)
        assert projector.stop() == 0
