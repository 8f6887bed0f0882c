"""What the code decides is committed as the code decides it."""

import json
import subprocess

import yaml

from cdc_relay.connector import CONFIG, NAME
from cdc_relay.settings import ConnectorSettings
from common.topics import READ_BY_US, TOPICS, dead_letters_of
from deploy.manifests import topics as topics_of_manifests
from deploy.manifests.__main__ import K8S, files
from deploy.manifests.access import grants
from deploy.manifests.connector import IN_A_CLUSTER, connector
from deploy.manifests.topics import partitions, topics
from stack.places import ROOT

LIMIT_S = 30


def test_generated_files_are_as_the_code_makes_them():
    """`make manifests` would change nothing."""
    changed = [
        str(path.relative_to(ROOT))
        for path, text in files().items()
        if not path.is_file() or path.read_text() != text
    ]

    assert not changed, "run `make manifests`"


def test_no_combination_is_left_over():
    """Every folder of tests/ is one that the code would make."""
    made = {path.parent for path in files() if path.is_relative_to(K8S / "tests")}

    assert {file.parent for file in K8S.glob("tests/*/kustomization.yaml")} == made


def test_every_topic_of_the_code_is_declared_as_the_code_would_make_it():
    """Name, partitions and configuration; beside ours Connect's three and a changelog."""
    declared = {one["spec"]["topicName"]: one["spec"] for one in topics()}

    for topic in TOPICS:
        spec = declared.pop(topic.name)
        assert spec["partitions"] == (topic.partitions or partitions())
        assert spec["config"] == topic.broker_config
    assert set(declared) == {
        *("connect-configs", "connect-offsets", "connect-status"),
        "scorer-ledgers-changelog",
    }


def test_topics_and_services_take_the_number_of_partitions_from_one_place(tmp_path, monkeypatch):
    """Another number there is another number in every topic of the flow."""
    file = tmp_path / "partitions.env"
    file.write_text("# A sentence.\nTOPIC_PARTITIONS=24\n")
    monkeypatch.setattr(topics_of_manifests, "PARTITIONS_FILE", file)
    declared = {one["spec"]["topicName"]: one["spec"]["partitions"] for one in topics()}

    flow = {topic.name for topic in TOPICS if topic.partitions is None}
    assert {declared[name] for name in flow} == {declared["scorer-ledgers-changelog"]} == {24}


def test_the_connector_is_the_codes_own_but_for_what_a_cluster_adds():
    """Strimzi puts class, number of tasks and name back where Connect takes them."""
    spec = connector()["spec"]
    settings = ConnectorSettings(kafka_bootstrap_servers="k", cdc_database_host="h")

    assert connector()["metadata"]["name"] == NAME
    config = {
        **spec["config"],
        "connector.class": spec["class"],
        "tasks.max": str(spec["tasksMax"]),
    }
    added = {name: config.pop(name) for name in IN_A_CLUSTER}
    place = {name: config.pop(name) for name in list(config) if name.startswith("database.")}
    assert config == CONFIG
    assert added == {**IN_A_CLUSTER, "slot.failover": "true"}
    assert place["database.user"] == settings.cdc_database_user
    assert place["database.dbname"] == settings.cdc_database_name
    assert place["database.password"] == settings.cdc_password_reference


def test_only_the_relay_and_those_who_erase_write_the_live_lane():
    """As common.topics says of it."""
    writers = {
        user
        for user, may in grants().items()
        for grant in may
        if grant.name == "client.events" and "Write" in grant.operations
    }

    assert writers == {"cdc-relay", "client-api", "engage"}


def test_whoever_parks_may_write_the_dead_letters_of_what_it_reads():
    """A service that reads one of our topics and cannot park would stop at the first poison."""
    parking = {"projector", "cdc-relay", "scorer", "mailer"}

    for user, may in grants().items():
        reads = {grant.name for grant in may if "Read" in grant.operations}
        writes = {grant.name for grant in may if "Write" in grant.operations}
        expected = {
            dead_letters_of(topic).name
            for topic in READ_BY_US
            if user in parking and topic.name in reads
        }
        assert expected <= writes, user


def test_no_user_may_do_everything():
    """No star, no right on the cluster, nothing to change or make but the scorer's changelogs."""
    for user, may in grants().items():
        for grant in may:
            assert grant.name != "*", user
            assert not {"All", "Alter", "AlterConfigs"} & set(grant.operations), user
            if "Create" in grant.operations:
                assert (user, grant.name) == ("scorer", "scorer-")


def test_generated_files_say_where_they_come_from():
    """A person who opens one knows not to edit it."""
    for path, text in files().items():
        if path.suffix == ".json":
            assert json.loads(text)["description"].startswith("Written by `make manifests`"), path
            continue
        assert text.startswith("# Written by `make manifests`"), path
        if path.suffix == ".yaml":
            assert list(yaml.safe_load_all(text)), path


def test_secrets_are_never_in_git():
    """Made-up ones lie where git does not look."""
    asked = [f"deploy/k8s/overlays/{overlay}/secrets/links.env" for overlay in ("dev", "test")]

    done = subprocess.run(
        ["git", "check-ignore", *asked],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.stdout.split() == asked
