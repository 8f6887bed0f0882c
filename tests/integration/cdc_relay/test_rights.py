"""Kafka's own authorizer with the rights of deploy/k8s: each does its work, and no other's.

The users are those that Strimzi would make of ``users.yaml``, known by their certificates.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from client_api.projector.run import GROUP as PROJECTOR
from common.cluster import Cluster
from common.kafka import consumer, create_topics, producer, verify
from common.topics import AT_RISK, BACKFILL, CDC_ORDERS, LIVE, SCORES, TOPICS, dead_letters_of
from engage.broker import Broker
from mailer.episodes.intake import GROUP as MAILER
from stack.places import ROOT
from tests.guarded_kafka import Guarded, guarded_kafka
from tests.integration.cdc_relay.running import order, relay, wait_for
from tests.integration.scorer.workers import Worker, running
from tests.servers import PARTITIONS

LIMIT_S = 30.0
USERS = ROOT / "deploy" / "k8s" / "platform" / "kafka" / "users.yaml"
TYPES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactionalId": ResourceType.TRANSACTIONAL_ID,
}
PATTERNS = {"literal": ResourcePatternType.LITERAL, "prefix": ResourcePatternType.PREFIXED}
OPERATIONS = {
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "Create": AclOperation.CREATE,
    "Delete": AclOperation.DELETE,
    "Describe": AclOperation.DESCRIBE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
}
ANY = AclBindingFilter(
    ResourceType.ANY,
    None,
    ResourcePatternType.ANY,
    None,
    None,
    AclOperation.ANY,
    AclPermissionType.ANY,
)
OPERATORS = {"kafka-client-api", "kafka-engage"}
"""Who may take out of every place what is erased."""
WRITERS = {
    "cdc.public.orders": {"kafka-connect"} | OPERATORS,
    "cdc.public.policies": {"kafka-connect"},
    "cdc.notifications": {"kafka-connect", "kafka-capture"},
    "client.events": {"kafka-cdc-relay"} | OPERATORS,
    "client.events.backfill": {"kafka-cdc-relay"} | OPERATORS,
    "scorer.control": {"kafka-cdc-relay", "kafka-capture", "kafka-scorer", "kafka-engage"},
    "client.scores": {"kafka-scorer"} | OPERATORS,
    "client.at-risk": {"kafka-scorer"} | OPERATORS,
    "client.at-risk.dlq": {"kafka-mailer"} | OPERATORS,
}
READERS = {
    "cdc.public.orders": {"kafka-cdc-relay"} | OPERATORS,
    "client.events": {"kafka-scorer"} | OPERATORS,
    "client.scores": {"kafka-projector"} | OPERATORS,
    "client.at-risk": {"kafka-mailer"} | OPERATORS,
}


def users() -> dict[str, list[AclBinding]]:
    """Return what each user may do, as Strimzi tells Kafka."""
    return {
        user["metadata"]["name"]: [
            AclBinding(
                TYPES[acl["resource"]["type"]],
                acl["resource"]["name"],
                PATTERNS[acl["resource"]["patternType"]],
                f"User:CN={user['metadata']['name']}",
                "*",
                OPERATIONS[operation],
                AclPermissionType.ALLOW,
            )
            for acl in user["spec"]["authorization"]["acls"]
            for operation in acl["operations"]
        ]
        for user in yaml.safe_load_all(USERS.read_text())
    }


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A broker that lets nobody do anything but what the users may; it has all topics."""
    authorizer = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        # The broker itself, and who sets it up, come without a certificate.
        "super.users": "User:ANONYMOUS",
    }
    with guarded_kafka(tmp_path_factory.mktemp("rights"), authorizer) as there:
        create_topics(there.inside, TOPICS, PARTITIONS, 1)
        # What was asked ends with the client that asked it.
        client = AdminClient(there.inside.client)
        wanted = {one for bindings in users().values() for one in bindings}
        for future in client.create_acls(list(wanted)).values():
            future.result(LIMIT_S)
        # The controller has them by now; the broker hears of them a moment later, and until then
        # it shows nobody the topics.
        wait_for("the rights", lambda: set(client.describe_acls(ANY).result(LIMIT_S)) >= wanted)
        yield there


def values_of(cluster: Cluster, topic: str) -> list[bytes | None]:
    """Return what a topic has, as somebody reads it."""
    broker = Broker(cluster)
    return [one.value() for one in broker.read(broker.begins([topic]), broker.ends([topic]))]


def put(cluster: Cluster, *records: tuple[str, bytes | None, bytes | None]) -> KafkaError | None:
    """Write records by an idempotent producer; return why the last was not taken."""
    writer, failed = producer(cluster), []
    for topic, key, value in records:
        writer.produce(topic, value, key, 0, on_delivery=lambda error, _: failed.append(error))
    assert writer.flush(LIMIT_S) == 0
    return failed[-1]


def test_an_order_comes_through_relay_and_scorer_by_their_rights(guarded: Guarded, tmp_path: Path):
    """Groups, transactions, changelog and ticks; what is poison is parked."""
    worker = Worker(
        guarded.servers,
        tmp_path,
        silent=True,
        **guarded.shown("kafka-scorer").environment,
    )
    looker = guarded.shown("kafka-engage")
    relaying = guarded.shown("kafka-cdc-relay").environment
    with relay(guarded.servers, tmp_path, **relaying) as process, running(worker):
        process.ready()
        connect = guarded.shown("kafka-connect")
        poison = (CDC_ORDERS.name, b'{"id": 2}', b"not json")
        assert put(connect, poison, order("c", 1, 7, 1)) is None

        wait_for("the event", lambda: values_of(looker, LIVE.name))
        wait_for("the letter", lambda: values_of(looker, dead_letters_of(CDC_ORDERS).name))
        wait_for("readiness", lambda: worker.health("/readyz")[0] == 200)
        wait_for("the ledger", lambda: values_of(looker, worker.changelog))
        assert values_of(looker, BACKFILL.name) == []


@pytest.mark.parametrize(
    ("user", "group", "topic"),
    [("kafka-projector", PROJECTOR, SCORES), ("kafka-mailer", MAILER, AT_RISK)],
)
def test_who_reads_what_the_scorer_tells_does_it_by_its_rights(guarded, user, group, topic):
    """It sees that the topics are as they must be, reads, commits, and parks."""
    cluster, letters = guarded.shown(user), dead_letters_of(topic)
    verify(cluster, (topic, letters), PARTITIONS)
    assert put(guarded.inside, (topic.name, b"key", b"value")) is None
    with closing(consumer(cluster, group)) as reader:
        reader.subscribe([topic.name])
        (read,) = wait_for("the record", lambda: reader.consume(1, 0.2))
        assert read.error() is None
        reader.commit(read, asynchronous=False)
    assert put(cluster, (letters.name, b"key", b"value")) is None


def may(guarded: Guarded, user: str, topics: set[str]) -> dict[str, set[AclOperation]]:
    """Return what the broker says that somebody may do with topics: nothing where it refuses."""
    client = AdminClient(guarded.shown(user).client)
    told = client.describe_topics(
        TopicCollection(sorted(topics)),
        include_authorized_operations=True,
        request_timeout=LIMIT_S,
    )
    allowed: dict[str, set[AclOperation]] = {}
    for topic, future in told.items():
        try:
            allowed[topic] = set(future.result(LIMIT_S).authorized_operations or ())
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_AUTHORIZATION_FAILED:
                raise
            allowed[topic] = set()
    return allowed


def test_each_topic_is_read_and_written_by_those_whose_work_it_is_and_nobody_else(guarded):
    """As the broker itself says, of every user."""
    allowed = {user: may(guarded, user, WRITERS.keys() | READERS.keys()) for user in users()}

    def who(topic: str, operation: AclOperation) -> set[str]:
        return {user for user, topics in allowed.items() if operation in topics[topic]}

    assert {topic: who(topic, AclOperation.WRITE) for topic in WRITERS} == WRITERS
    assert {topic: who(topic, AclOperation.READ) for topic in READERS} == READERS


def test_the_work_of_another_is_refused(guarded):
    """A topic, a group and the name of a transaction."""
    mailer = guarded.shown("kafka-mailer")

    refused = put(mailer, (LIVE.name, b"key", b"value"))
    assert refused is not None
    assert refused.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    with closing(consumer(mailer, PROJECTOR)) as reader:
        reader.subscribe([AT_RISK.name])
        (told,) = wait_for("an answer", lambda: reader.consume(1, 0.2))
        assert told.error().code() == KafkaError.GROUP_AUTHORIZATION_FAILED
    writer = producer(mailer, {"transactional.id": "cdc-relay-0"})
    with pytest.raises(KafkaException) as error:
        writer.init_transactions(LIMIT_S)
    assert error.value.args[0].code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
