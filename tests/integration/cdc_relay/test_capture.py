"""From a row in Postgres to events on the lanes: database, connector and relay, all real.

The tests share one pipeline, for a connector's offsets outlive a database; each has its own rows.
"""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest
import yaml

from cdc_relay.connector import config_of
from cdc_relay.settings import ConnectorSettings
from common.codec import decode
from common.partition import partition_of
from common.topics import TOPICS
from stack.places import ROOT
from tests.integration.cdc_relay.running import (
    BACKFILL,
    CONTROL,
    LIVE,
    NOTIFICATIONS,
    Read,
    RelayProcess,
    command,
    environment,
    reading,
    relay,
    wait_for,
)
from tests.servers import CDC_PASSWORD, PARTITIONS, Database, execute, migrated_database

CANARY = "canary-7f3a"
PERSONAL = {
    "first_name": f"'{CANARY}-first'",
    "surname": f"'{CANARY}-sur'",
    "email": f"'{CANARY}@example.com'",
    "phone": f"'{CANARY}-phone'",
    "address": f"'{CANARY}-address'",
    "style_tags": f"'{{{CANARY}-tag}}'",
    "time_zone": f"'{CANARY}-zone'",
}
fresh = itertools.count(500)
UNTOLD = {"offset.mismatch.strategy"}
"""A name that Debezium 3.7 reads (PostgresConnectorConfig), though it does not list it."""


def insert_client(client: int) -> str:
    """Return the statement for a client with a canary in each personal column."""
    names, values = ", ".join(PERSONAL), ", ".join(PERSONAL.values())
    return f"INSERT INTO clients (id, {names}) VALUES ({client}, {values})"


def insert_order(order: int, client: int, at: str = "2024-02-29 23:59:59.123456+00") -> str:
    """Return the statement for an order."""
    return (
        "INSERT INTO orders (id, client_id, ordered_at, amount, category)"
        f" VALUES ({order}, {client}, '{at}', 29.9, '{CANARY}-category')"
    )


@dataclass(frozen=True)
class Pipeline:
    """What runs, and what the commands said when there was no connector yet."""

    database: Database
    kafka: str
    connect: str
    relay: RelayProcess
    env: dict[str, str]
    announced: str
    first: str

    def do(self, *statements: str) -> None:
        """Change rows."""
        execute(self.database.admin_url, *statements)


def raises_the_flag(kafka: str, env: dict[str, str], word: str) -> str:
    """Run a command that tells scorers in every partition of a snapshot; return what it says."""
    with reading(kafka, CONTROL) as control:
        done = command(env, word)
        assert done.returncode == 0, done.stderr
        raised = [r for r in control.count(PARTITIONS) if r.key == "snapshot"]
    assert sorted((r.partition, r.data["active"]) for r in raised[:PARTITIONS]) == [
        (partition, True) for partition in range(PARTITIONS)
    ]
    return done.stdout


@pytest.fixture(scope="module")
def pipeline(
    postgres: str,
    migrated_template: str,
    kafka: str,
    connect: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pipeline]:
    """Rows that were there before, then the connector, then a relay."""
    with migrated_database(postgres, migrated_template) as database:
        execute(
            database.admin_url,
            insert_client(1),
            insert_client(2),
            *(insert_order(order, 1 + order % 2) for order in range(1, 301)),
        )
        env = {**environment(kafka), **database.cdc_environment, "CONNECT_URL": connect}
        # Announced first, as where an operator makes the connector; the second one does it itself.
        announced = raises_the_flag(kafka, env, "announce")
        first = raises_the_flag(kafka, env, "connector")
        with relay(kafka, tmp_path_factory.mktemp("relay")) as running:
            running.ready()
            yield Pipeline(database, kafka, connect, running, env, announced, first)
            with httpx.Client(base_url=connect) as client:
                client.delete("/connectors/engage").raise_for_status()


def of_client(records: list[Read], client: int) -> list[Read]:
    """Return the records about a client."""
    return [record for record in records if record.key.split("/")[0] == str(client)]


def test_rows_that_were_there_go_to_the_backfill_lane_and_the_flag_is_cleared(pipeline):
    """A first snapshot: every row once, with its version, then snapshot off in all partitions."""
    with (
        reading(pipeline.kafka, CONTROL, from_start=True) as control,
        reading(pipeline.kafka, BACKFILL, from_start=True) as lane,
    ):
        control.until(
            lambda records: (
                {r.partition for r in records if r.key == "snapshot" and not r.data["active"]}
                == set(range(PARTITIONS))
            )
        )
        records = [r for r in lane.to_the_end() if r.key.split("/")[0] in {"1", "2"}]
    orders = {r.data["order_id"]: r for r in records if "/order/" in r.key}
    assert orders.keys() == set(range(1, 301))
    assert {r.key for r in records if r.key.endswith("/client")} == {"1/client", "2/client"}
    for number, record in orders.items():
        event = decode(record.raw).data
        assert event.client_id == 1 + number % 2
        assert record.partition == partition_of(event.client_id, PARTITIONS)
        assert event.ordered_at == datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=UTC)
        assert event.amount == Decimal("29.90")


def test_a_row_lives_moves_and_goes(pipeline):
    """Insert, update, move and delete arrive in order, with growing versions, on both lanes."""
    here, there, order = (next(fresh) for _ in range(3))
    with reading(pipeline.kafka, LIVE, BACKFILL) as lanes:
        pipeline.do(
            insert_client(here),
            insert_client(there),
            insert_order(order, here),
            f"UPDATE orders SET status = 'paid' WHERE id = {order}",
            f"UPDATE orders SET client_id = {there} WHERE id = {order}",
            f"DELETE FROM orders WHERE id = {order}",
        )
        lanes.until(
            lambda records: sum(r.data.get("reason") == "deleted" for r in records if r.value) == 2
        )

    def story(lane, client):
        key = f"{client}/order/{order}"
        found = [r for r in lanes.records if (r.topic, r.key) == (lane, key)]
        versions = [r.data["version"] for r in found]
        assert versions == sorted(versions)
        return [r.data.get("status") or r.data["reason"] for r in found]

    assert story(LIVE, here) == ["placed", "paid", "moved"]
    assert story(LIVE, there) == ["paid", "deleted"]
    assert story(BACKFILL, here) == ["moved"]
    assert story(BACKFILL, there) == ["deleted"]


def test_an_erased_client_is_erased_with_a_version_above_all_its_orders(pipeline):
    """Erasure in one transaction ends in client.erased, which outranks every order's event."""
    client, order = next(fresh), next(fresh)
    with reading(pipeline.kafka, LIVE, BACKFILL) as lanes:
        pipeline.do(
            insert_client(client),
            insert_order(order, client),
            f"BEGIN; UPDATE clients SET first_name = 'x' WHERE id = {client};"
            f" DELETE FROM orders WHERE client_id = {client};"
            f" DELETE FROM clients WHERE id = {client}; COMMIT",
        )
        # In each lane: the erasure, the tombstone and the removal; live also what came before.
        lanes.until(lambda records: len(of_client(records, client)) >= 9)
        records = of_client(lanes.to_the_end(), client)
    for lane in (LIVE, BACKFILL):
        told = {r.key: r for r in records if r.topic == lane}
        erased = told[f"{client}/erased"].data["version"]
        assert told[f"{client}/client"].raw is None
        assert told[f"{client}/order/{order}"].data["reason"] == "deleted"
        others = [r.data["version"] for r in records if r.value and r.topic == lane]
        assert max(others) == erased
        assert told[f"{client}/order/{order}"].data["version"] < erased


def test_a_policy_row_reaches_every_partition(pipeline):
    """A new policy row becomes policy.published in all partitions."""
    version = next(fresh)
    document = json.dumps({"version": version, "theta": 0.4})
    with reading(pipeline.kafka, CONTROL) as control:
        pipeline.do(
            "INSERT INTO policies (id, document, created_by)"
            f" VALUES ({version}, '{document}', 'test')"
        )
        records = control.until(
            lambda records: sum(r.key == f"policy/{version}" for r in records) == PARTITIONS
        )
    policies = [r for r in records if r.key == f"policy/{version}"]
    assert {r.partition for r in policies} == set(range(PARTITIONS))
    assert {decode(r.raw).data.policy.theta for r in policies} == {0.4}


def test_a_row_beyond_all_years_is_parked_and_the_next_one_flows(pipeline):
    """Postgres holds years that events cannot: such a row is parked, with its reason."""
    client, ancient, normal = (next(fresh) for _ in range(3))
    with (
        reading(pipeline.kafka, "cdc.public.orders.dlq") as parked,
        reading(pipeline.kafka, LIVE) as lane,
    ):
        pipeline.do(
            insert_client(client),
            insert_order(ancient, client, "0044-03-15 00:00:00+00 BC"),
            insert_order(normal, client),
        )
        lane.until(lambda records: f"{client}/order/{normal}" in {r.key for r in records})
        [letter] = parked.count(1)
    assert json.loads(letter.key) == {"id": ancient}
    assert letter.headers["reason"] == "unknown_shape"
    assert f"{client}/order/{ancient}" not in {r.key for r in lane.records}


def test_the_connector_command_can_be_repeated(pipeline):
    """The first time it makes the connector; then it finds nothing to do, and raises no flag."""
    assert pipeline.first == "connector engage: created, running\n"
    wait_for("the first snapshot is over", lambda: pipeline.relay.logged("snapshot is over"))
    with reading(pipeline.kafka, CONTROL) as control:
        again = command(pipeline.env, "connector")
        assert (again.returncode, again.stdout) == (0, "connector engage: unchanged, running\n")
        assert not [r for r in control.to_the_end() if r.key == "snapshot"]
    shown = httpx.get(f"{pipeline.env['CONNECT_URL']}/connectors/engage/config").text
    assert "${env:CDC_DATABASE_PASSWORD}" in shown
    assert CDC_PASSWORD not in shown + again.stdout + again.stderr


def test_a_snapshot_is_announced_while_there_is_no_connector(pipeline):
    """Before, every scorer is told; with a connector, nothing is written at all."""
    assert pipeline.announced == "connector engage is not there yet: the scorers were told\n"
    wait_for("the first snapshot is over", lambda: pipeline.relay.logged("snapshot is over"))
    with reading(pipeline.kafka, CONTROL, NOTIFICATIONS) as told:
        again = command(pipeline.env, "announce")
        assert (again.returncode, again.stdout) == (
            0,
            "connector engage is there: nothing to announce\n",
        )
        assert told.to_the_end() == []


def test_personal_data_is_on_no_topic(pipeline):
    """Canaries from every personal column are found nowhere: not on our topics, nor Connect's."""
    client, order = next(fresh), next(fresh)
    with reading(pipeline.kafka, LIVE) as lane:
        pipeline.do(
            insert_client(client),
            f"UPDATE clients SET address = '{CANARY}-new' WHERE id = {client}",
            insert_order(order, client),
            f"DELETE FROM orders WHERE id = {order}",
            f"DELETE FROM clients WHERE id = {client}",
        )
        lane.until(lambda records: f"{client}/erased" in {r.key for r in records})
    names = [topic.name for topic in TOPICS] + ["connect-configs", "connect-offsets"]
    with reading(pipeline.kafka, *names, from_start=True) as everything:
        records = everything.to_the_end()
    assert any(r.topic == "cdc.public.clients" and f'"id":{client}' in r.key for r in records)
    for record in records:
        assert CANARY not in f"{record.key}{record.raw!r}{record.headers}"
    assert CANARY not in pipeline.relay.text()


def test_the_command_says_in_one_line_what_is_missing(pipeline):
    """Without the database's address: exit code 2 and one line that names the setting."""
    env = {name: v for name, v in pipeline.env.items() if name != "CDC_DATABASE_HOST"}
    done = command(env, "connector")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "CDC_DATABASE_HOST" in done.stderr


def of_compose() -> dict[str, str]:
    """Return what Docker Compose's ``connector`` gives Connect."""
    compose = yaml.safe_load((ROOT / "deploy" / "docker-compose.yml").read_text())
    told = compose["services"]["connector"]["environment"]
    known = {name.lower(): told[name] for name in told if name.startswith("CDC_")}
    return config_of(ConnectorSettings(kafka_bootstrap_servers="unused", **known))


def of_a_cluster() -> dict[str, str]:
    """Return what Strimzi gives Connect: class and number of tasks have fields of their own."""
    folder = ROOT / "deploy" / "k8s" / "platform" / "kafka"
    spec = yaml.safe_load((folder / "connector.yaml").read_text())["spec"]
    return {
        **spec["config"],
        "connector.class": spec["class"],
        "tasks.max": str(spec["tasksMax"]),
    }


def judged(pipeline: Pipeline, config: dict[str, str]) -> tuple[dict[str, list[str]], set[str]]:
    """Return what Connect itself refuses of a configuration, and the names that it knows.

    Debezium logs in to Postgres for it, so what is said of the place is said of this one.
    """
    here = pipeline.env
    place = {
        "database.hostname": here["CDC_DATABASE_HOST"],
        "database.port": here["CDC_DATABASE_PORT"],
        "database.dbname": here["CDC_DATABASE_NAME"],
        **({"database.sslmode": "disable"} if "database.sslmode" in config else {}),
    }
    path = f"/connector-plugins/{config['connector.class']}/config/validate"
    with httpx.Client(base_url=pipeline.connect, timeout=60) as client:
        answer = client.put(path, json={**config, **place, "name": "judged"})
    answer.raise_for_status()
    values = [one["value"] for one in answer.json()["configs"]]
    errors = {one["name"]: one["errors"] for one in values if one["errors"]}
    return errors, {one["name"] for one in values}


@pytest.mark.parametrize("configuration", [of_compose, of_a_cluster])
def test_connect_itself_finds_every_configuration_valid_and_knows_each_name(
    pipeline, configuration
):
    """`config/validate` says nothing of a misspelt name: it is one that it does not tell back."""
    config = configuration()

    errors, known = judged(pipeline, config)

    assert errors == {}
    assert set(config) - known == UNTOLD


def test_connect_tells_what_is_wrong_in_a_configuration(pipeline):
    """A name that nobody knows, a value that is none, and a place where nobody lets it in."""
    config = of_compose()

    assert (
        "heartbeat.intervall.ms"
        not in judged(pipeline, {**config, "heartbeat.intervall.ms": "1"})[1]
    )
    assert "snapshot.mode" in judged(pipeline, {**config, "snapshot.mode": "sometimes"})[0]
    assert judged(pipeline, {**config, "database.user": "nobody"})[0]
