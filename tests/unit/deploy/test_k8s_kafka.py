"""Kafka, Connect, Postgres and their scaling: operators are told what the code expects."""

import pytest
import yaml

from cdc_relay import connector
from client_api import database
from client_api.projector.run import CONNECTIONS
from client_api.projector.run import GROUP as PROJECTOR
from client_api.store import reads
from common.topics import BACKFILL, LIVE, SCORES, group_of
from deploy.manifests.connector import CA_FILE, DATABASE_HOST
from deploy.manifests.topics import WORKER
from deploy.manifests.topics import partitions as declared_partitions
from mailer.database import CONNECTIONS_MAX
from stack.environment import DATABASE
from stack.launcher import PARTITIONS
from stack.postgres import SETTINGS as EMBEDDED
from tests.unit.deploy import kustomized
from tests.unit.deploy.kustomized import OPERATED, named, of_kind

OWN_FIELDS = {
    "group.id": "groupId",
    "config.storage.topic": "configStorageTopic",
    "offset.storage.topic": "offsetStorageTopic",
    "status.storage.topic": "statusStorageTopic",
}
"""What Strimzi takes as fields of its own."""
STRIMZIS = {
    *("bootstrap.servers", "listeners", "plugin.path"),
    *("rest.advertised.host.name", "rest.advertised.port"),
}
"""What Strimzi sets itself and takes from nobody."""
REPLICATION = ".storage.replication.factor"

TRIGGER_KEYS = {
    "kafka": {
        *("bootstrapServers", "consumerGroup", "topic", "lagThreshold", "activationLagThreshold"),
        *("offsetResetPolicy", "allowIdleConsumers", "excludePersistentLag", "version"),
        *("scaleToZeroOnInvalidOffset", "limitToPartitionsWithLag", "partitionLimitation"),
        *("ensureEvenDistributionOfPartitions", "tls", "sasl"),
    },
    "cpu": {"value"},
}
"""What KEDA's scalers read. Its schema lets any key pass, so a misspelt one would be ignored."""


@pytest.mark.parametrize("overlay", OPERATED)
def test_connect_is_set_up_as_the_embedded_stack_sets_it_up(overlay):
    """But for what Strimzi does itself, and for the number of copies."""
    (connect,) = of_kind(overlay, "KafkaConnect")
    spec = connect["spec"]
    config = {name: value for name, value in spec["config"].items() if REPLICATION not in name}
    expected = {
        name: value
        for name, value in WORKER.items()
        if name not in STRIMZIS and name not in OWN_FIELDS and REPLICATION not in name
    }

    expected["config.providers.env.param.allowlist.pattern"] = "CDC_DATABASE_PASSWORD"
    assert config == expected
    assert {name: spec[field] for name, field in OWN_FIELDS.items()} == {
        name: WORKER[name] for name in OWN_FIELDS
    }


@pytest.mark.parametrize("overlay", OPERATED)
def test_the_connector_finds_its_password_and_whom_to_trust_in_connects_pods(overlay):
    """By the variable that it refers to, and by a file of a mounted volume."""
    container = of_kind(overlay, "KafkaConnect")[0]["spec"]["template"]["connectContainer"]
    config = named(overlay, "KafkaConnector", connector.NAME)["spec"]["config"]

    (variable,) = [one["name"] for one in container["env"]]
    assert config["database.password"] == f"${{env:{variable}}}"
    assert config["database.sslrootcert"] == CA_FILE
    (mount,) = container["volumeMounts"]
    assert f"{mount['mountPath']}/ca.crt" == CA_FILE


@pytest.mark.parametrize("overlay", OPERATED)
def test_copies_of_topics_fit_the_number_of_brokers(overlay):
    """Three of each where there are three; a broker may go and everything is still written."""
    (pool,) = of_kind(overlay, "KafkaNodePool")
    (kafka,) = of_kind(overlay, "Kafka")
    brokers, config = pool["spec"]["replicas"], kafka["spec"]["kafka"]["config"]

    copies = {one["spec"]["replicas"] for one in of_kind(overlay, "KafkaTopic")}
    assert copies == {brokers}
    assert {
        int(value) for name, value in config.items() if name.endswith("replication.factor")
    } == {brokers}
    least = {int(value) for name, value in config.items() if name.endswith(("isr", "replicas"))}
    assert least == {max(1, brokers - 1)}
    assert config["auto.create.topics.enable"] == "false"
    connect = of_kind(overlay, "KafkaConnect")[0]["spec"]["config"]
    assert {int(value) for name, value in connect.items() if REPLICATION in name} == {brokers}
    scorer = kustomized.Workload(named(overlay, "StatefulSet", "scorer"))
    assert kustomized.literal(overlay, scorer.main)["REPLICATION_FACTOR"] == str(brokers)


@pytest.mark.parametrize("overlay", OPERATED)
def test_services_are_told_the_number_of_partitions_that_topics_have(overlay):
    """Keys would go astray otherwise; the services check it, too."""
    (shared,) = [
        one
        for one in of_kind(overlay, "ConfigMap")
        if one["metadata"]["name"].startswith("shared-")
    ]
    topics = [one["spec"] for one in of_kind(overlay, "KafkaTopic")]
    partitions = {spec["topicName"]: spec["partitions"] for spec in topics}

    assert shared["data"]["TOPIC_PARTITIONS"] == str(declared_partitions())
    assert partitions[LIVE.name] == partitions[SCORES.name] == declared_partitions()


def test_the_journey_runs_with_as_many_partitions_as_the_embedded_stack():
    """So that what is seen there is what is seen here."""
    (shared,) = [
        one
        for one in of_kind("overlays/test", "ConfigMap")
        if one["metadata"]["name"].startswith("shared-")
    ]

    assert shared["data"]["TOPIC_PARTITIONS"] == str(PARTITIONS)


@pytest.mark.parametrize("overlay", OPERATED)
def test_what_is_captured_is_what_the_connector_reads(overlay):
    """Tables of the publication, its name, and what it leaves out."""
    publication = named(overlay, "Publication", connector.NAME)["spec"]

    tables = [one["table"] for one in publication["target"]["objects"]]
    assert {(one["schema"], one["name"]) for one in tables} == {
        ("public", table) for table in connector.COLUMNS
    }
    assert publication["name"] == connector.CONFIG["publication.name"]
    assert publication["dbname"] == DATABASE
    # As the migrations say it, and the connector's skipped.operations.
    assert publication["parameters"] == {"publish": "insert, update, delete"}
    assert publication["publicationReclaimPolicy"] == "retain"


@pytest.mark.parametrize("overlay", OPERATED)
def test_only_the_capture_may_replicate_and_nobody_is_a_superuser(overlay):
    """Each role logs in by the secret of its name; what it may do, the migrations say."""
    roles = {one["spec"]["name"]: one["spec"] for one in of_kind(overlay, "DatabaseRole")}

    assert set(roles) == {"client_api", "mailer", "engage", "cdc"}
    for name, spec in roles.items():
        assert spec["login"] is True
        assert not {"superuser", "createrole", "createdb", "bypassrls", "inRoles"} & set(spec)
        assert bool(spec.get("replication")) == (name == "cdc")
        assert spec["passwordSecret"]["name"] == f"postgres-{name.replace('_', '-')}"
    (cluster,) = of_kind(overlay, "Cluster")
    assert not cluster["spec"].get("enableSuperuserAccess")


def test_snapshots_go_with_their_backups_and_the_first_one_is_made_at_once():
    """So that somebody can expire them; nobody is restored whom they hold after that."""
    spec = named("overlays/prod", "Cluster", "engage-postgres")["spec"]
    (scheduled,) = of_kind("overlays/prod", "ScheduledBackup")

    assert spec["backup"]["volumeSnapshot"]["snapshotOwnerReference"] == "backup"
    assert scheduled["spec"]["immediate"] is True


@pytest.mark.parametrize("overlay", OPERATED)
def test_every_server_is_asked_whether_it_has_the_slot(overlay):
    """The exporter reads the map and the key that are there, about the connector's slot."""
    cluster = named(overlay, "Cluster", "engage-postgres")["spec"]
    (asked,) = cluster["monitoring"]["customQueriesConfigMap"]

    text = named(overlay, "ConfigMap", asked["name"])["data"][asked["key"]]
    query = yaml.safe_load(text)["engage_slot"]
    assert f"slot_name = '{connector.CONFIG['slot.name']}'" in query["query"]
    assert [list(one) for one in query["metrics"]] == [["usable"]]


def test_a_failover_keeps_every_commit_and_the_slot():
    """A commit is on two servers, and one that has it is promoted; the slot is carried along, and
    bounded as the embedded one.
    """
    spec = named("overlays/prod", "Cluster", "engage-postgres")["spec"]
    parameters = spec["postgresql"]["parameters"]

    assert spec["instances"] == 3
    assert spec["postgresql"]["synchronous"]["number"] == 1
    assert spec["postgresql"]["synchronous"]["dataDurability"] == "required"
    assert spec["postgresql"]["synchronous"]["failoverQuorum"] is True
    assert spec["replicationSlots"]["highAvailability"]["synchronizeLogicalDecoding"] is True
    assert parameters["sync_replication_slots"] == parameters["hot_standby_feedback"] == "on"
    for name in ("max_slot_wal_keep_size", "max_wal_size", "log_error_verbosity"):
        assert parameters[name] == EMBEDDED[name]
    config = named("overlays/prod", "KafkaConnector", connector.NAME)["spec"]["config"]
    assert config["slot.failover"] == "true"
    assert config["database.hostname"] == DATABASE_HOST == "engage-postgres-rw"


@pytest.mark.parametrize("kustomization", ["overlays/prod", "tests/autoscaling"])
def test_triggers_have_only_keys_that_keda_reads(kustomization):
    """A misspelt key is one that does not count."""
    for scaled in of_kind(kustomization, "ScaledObject"):
        for trigger in scaled["spec"]["triggers"]:
            assert set(trigger["metadata"]) <= TRIGGER_KEYS[trigger["type"]], scaled["metadata"]
            assert all(isinstance(value, str) for value in trigger["metadata"].values())


def test_scaling_follows_the_groups_and_topics_of_the_code():
    """The scorer's group is that of its generation; nobody scales beyond the partitions."""
    triggers = {
        (scaled["metadata"]["name"], trigger["metadata"]["topic"]): trigger
        for scaled in of_kind("overlays/prod", "ScaledObject")
        for trigger in scaled["spec"]["triggers"]
        if trigger["type"] == "kafka"
    }
    scorer = kustomized.Workload(named("overlays/prod", "StatefulSet", "scorer"))
    told = kustomized.literal("overlays/prod", scorer.main)

    groups = {key: trigger["metadata"]["consumerGroup"] for key, trigger in triggers.items()}
    assert groups == {
        ("scorer", LIVE.name): group_of(int(told["GENERATION"])),
        ("scorer", BACKFILL.name): group_of(int(told["GENERATION"])),
        ("projector", SCORES.name): PROJECTOR,
    }
    for trigger in triggers.values():
        # Markers of transactions count as lag: at most one a partition on an idle topic.
        assert int(trigger["metadata"]["lagThreshold"]) > 100 * declared_partitions()
    for scaled in of_kind("overlays/prod", "ScaledObject"):
        spec = scaled["spec"]
        assert 2 <= spec["minReplicaCount"] <= spec["maxReplicaCount"] <= declared_partitions()


@pytest.mark.parametrize("kustomization", ["overlays/prod", "tests/autoscaling", "tests/all"])
def test_who_scales_finds_kafka_from_its_own_namespace(kustomization):
    """KEDA's operator asks, from a namespace where a service's bare name leads nowhere."""
    scaled = of_kind(kustomization, "ScaledObject")
    asked = {
        (one["metadata"]["namespace"], trigger["metadata"]["bootstrapServers"])
        for one in scaled
        for trigger in one["spec"]["triggers"]
        if trigger["type"] == "kafka"
    }
    scorer = kustomized.Workload(named(kustomization, "StatefulSet", "scorer"))
    told = kustomized.literal(kustomization, scorer.main)["KAFKA_BOOTSTRAP_SERVERS"]

    ((namespace, address),) = asked
    service, port = told.split(":")
    assert address == f"{service}.{namespace}.svc:{port}"


def test_who_is_scaled_names_no_number_of_its_own():
    """A sync would put it back."""
    scaled = {
        (one["spec"]["scaleTargetRef"]["kind"], one["spec"]["scaleTargetRef"]["name"])
        for one in of_kind("overlays/prod", "ScaledObject")
    }

    for kind, name in scaled:
        assert "replicas" not in named("overlays/prod", kind, name)["spec"]
    assert ("Deployment", "cdc-relay") not in scaled


def test_connections_to_postgres_are_enough_for_all_replicas():
    """Each at its most, and during a rollout one more of each."""
    engine = database.POOL_SIZE + database.POOL_OVERFLOW
    of_one = {
        # Requests, hot reads, searches; one that listens, and one for what operators ask.
        "client-api": engine + reads.POOL_SIZE + reads.SEARCHES_MAX + 2,
        "projector": engine + CONNECTIONS,
        # Two that listen.
        "mailer": CONNECTIONS_MAX + 2,
    }
    most = {
        one["metadata"]["name"]: one["spec"]["maxReplicaCount"]
        for one in of_kind("overlays/prod", "ScaledObject")
    }
    most["mailer"] = named("overlays/prod", "Deployment", "mailer")["spec"]["replicas"]

    cluster = named("overlays/prod", "Cluster", "engage-postgres")["spec"]
    there = int(cluster["postgresql"]["parameters"]["max_connections"])
    assert sum((most[name] + 1) * number for name, number in of_one.items()) <= there


WAVES = {
    "Namespace": {-4},
    "ExternalSecret": {-3},
    "Kafka": {-2},
    "KafkaNodePool": {-2},
    "Cluster": {-2},
    "KafkaTopic": {-1},
    "KafkaUser": {-1},
    "DatabaseRole": {-1},
    "Database": {-1},
    "KafkaConnect": {0},
    "Job": {1, 2},
    "Deployment": {2},
    "StatefulSet": {2},
    "Publication": {2},
    "TriggerAuthentication": {2},
    "KafkaConnector": {3},
    "ScaledObject": {3},
    "HTTPRoute": {3},
}


def test_argo_cd_brings_things_in_the_order_in_which_they_need_each_other():
    """Schema before services; scorers told before the capture; the way in at last."""
    for one in kustomized.documents("overlays/prod"):
        if one["kind"] in WAVES:
            notes = one["metadata"].get("annotations", {})
            wave = int(notes["argocd.argoproj.io/sync-wave"])
            assert wave in WAVES[one["kind"]], (one["kind"], one["metadata"]["name"])
    found = [one["metadata"] for one in of_kind("overlays/prod", "Job")]
    jobs = {job["name"]: job["annotations"] for job in found}
    assert jobs["migrate"]["argocd.argoproj.io/sync-wave"] == "1"
    assert jobs["capture"]["argocd.argoproj.io/sync-wave"] == "2"
    assert {one["argocd.argoproj.io/hook"] for one in jobs.values()} == {"Sync"}


@pytest.mark.parametrize("overlay", OPERATED)
def test_where_operators_capture_the_job_only_announces_it(overlay):
    """Strimzi would take away a connector that it does not know."""
    (connect,) = of_kind(overlay, "KafkaConnect")

    job = kustomized.Workload(named(overlay, "Job", "capture"))
    assert job.main["args"] == ["announce"]
    assert connect["metadata"]["annotations"]["strimzi.io/use-connector-resources"] == "true"


def test_without_operators_the_job_makes_the_connector_itself():
    """And there is no document for an operator to take."""
    job = kustomized.Workload(named("overlays/test", "Job", "capture"))

    assert job.main["args"] == ["connector"]
    groups = {one["apiVersion"].rpartition("/")[0] for one in kustomized.documents("overlays/test")}
    assert groups == {"", "apps", "batch", "policy"}
