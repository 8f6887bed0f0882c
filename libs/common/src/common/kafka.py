"""The one door to confluent-kafka: clients, topics, dead letters, foreign errors translated."""

import logging
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    OffsetSpec,
)
from confluent_kafka.cimpl import NewTopic

from common import tracing
from common.cluster import Cluster
from common.errors import Misconfigured, PoisonMessage, Transient, Unreachable
from common.topics import Topic

ADMIN_TIMEOUT_S = 15.0
KNOWN_POLL_S = 0.05
LIBRDKAFKA = logging.getLogger("librdkafka")
"""The library's own words go where all logs go, not raw to stderr; polling hands them over."""
REFUSALS = (KafkaError._SSL, KafkaError._AUTHENTICATION)  # noqa: SLF001 - so the library names them
"""A broker that answers, and does not trust us or is not trusted."""
Headers = list[tuple[str, str | bytes | None]]
LIMIT = "max.message.bytes"


def consumer(cluster: Cluster, group: str, extra: Mapping[str, Any] | None = None) -> Consumer:
    """Make a consumer that sees only committed records and commits only when told.

    Creating a client shows no connection error; call ``verify`` at start.
    """
    return Consumer(
        {
            **cluster.client,
            "logger": LIBRDKAFKA,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "allow.auto.create.topics": False,
            **(extra or {}),
        }
    )


def producer(cluster: Cluster, extra: Mapping[str, Any] | None = None) -> Producer:
    """Make an idempotent producer; writers set the partition themselves (common.partition)."""
    return Producer(
        {
            **cluster.client,
            "logger": LIBRDKAFKA,
            "enable.idempotence": True,
            "linger.ms": 5,
            "compression.type": "lz4",
            "partitioner": "murmur2_random",
            **(extra or {}),
        }
    )


def admin(cluster: Cluster) -> AdminClient:
    """Make a client that asks about the cluster and its topics."""
    return AdminClient({**cluster.client}, logger=LIBRDKAFKA)


def topics_of(cluster: Cluster, limit_s: float = ADMIN_TIMEOUT_S) -> dict[str, int]:
    """Return every topic that may be seen, with its number of partitions.

    Raises Unreachable when nobody answers, Misconfigured where certificates or logins are refused,
    both with what the connections failed of: the answer itself does not tell one from the other.
    """
    heard: list[KafkaError] = []
    # Its log would say the same again and again.
    config: dict[str, Any] = {**cluster.client, "error_cb": heard.append, "log_level": 0}
    client = AdminClient(config)
    try:
        found = client.list_topics(timeout=limit_s)
    except KafkaException as error:
        client.poll(0)
        what = heard[0] if heard else error.args[0]
        kind = Misconfigured if what.code() in REFUSALS else Unreachable
        raise kind(f"no Kafka broker answers at {cluster}: {what.str()}") from error
    return {name: len(topic.partitions) for name, topic in found.topics.items()}


def verify(cluster: Cluster, topics: Iterable[Topic], partitions: int) -> None:
    """Check that the broker answers and every topic is there with its number of partitions.

    And that it takes records as large as may come: the broker's own limit is lower, and a topic
    that existed before ours was stated still has it. Raises Misconfigured with one clear line,
    Unreachable when nobody answers, and Transient when a topic comes or goes meanwhile.
    """
    topics = list(topics)
    known = topics_of(cluster)
    for topic in topics:
        want = topic.partitions or partitions
        have = known.get(topic.name)
        if have is None:
            raise Misconfigured(f"topic {topic.name} does not exist on {cluster}")
        if have != want:
            raise Misconfigured(f"topic {topic.name} has {have} partitions, not {want}")
    for name, (limit, wanted) in _too_small(cluster, topics).items():
        raise Misconfigured(
            f"topic {name} takes records of up to {limit:,} bytes, not {wanted:,}:"
            f" run `cdc_relay topics`, or set its {LIMIT}"
        )


def align_topics(cluster: Cluster, topics: Iterable[Topic]) -> int:
    """Let the topics take records as large as may come; return how many did not.

    Only this is changed where a topic exists: a lower limit loses no record today and stops its
    writer some day, while what is kept how long may have been set by somebody on purpose. Raises
    Misconfigured, Transient.
    """
    wrong = _too_small(cluster, topics)
    asked = [
        ConfigResource(
            "topic",
            name,
            incremental_configs=[
                ConfigEntry(LIMIT, str(wanted), incremental_operation=AlterConfigOpType.SET)
            ],
        )
        for name, (_, wanted) in wrong.items()
    ]
    if asked:
        client = admin(cluster)
        for resource, future in client.incremental_alter_configs(asked).items():
            try:
                future.result(ADMIN_TIMEOUT_S)
            except KafkaException as error:
                what = f"the {LIMIT} of topic {resource.name} could not be set"
                raise Transient(f"{what}: {error}") from error
    return len(wrong)


def create_topics(
    cluster: Cluster, topics: Iterable[Topic], partitions: int, replication: int
) -> int:
    """Create the topics that are missing and wait until they can be used; return how many were.

    Raises Misconfigured, Transient.
    """
    known = topics_of(cluster)
    missing = [topic for topic in topics if topic.name not in known]
    if not missing:
        return 0
    client = admin(cluster)
    futures = client.create_topics(
        [
            NewTopic(
                topic.name,
                num_partitions=topic.partitions or partitions,
                replication_factor=replication,
                config=topic.broker_config,
            )
            for topic in missing
        ],
        operation_timeout=ADMIN_TIMEOUT_S,
    )
    for name, future in futures.items():
        try:
            future.result(ADMIN_TIMEOUT_S)
        except KafkaException as error:
            if "TOPIC_ALREADY_EXISTS" not in str(error):
                raise Transient(f"topic {name} could not be created: {error}") from error
    _await_known(cluster, {topic.name for topic in missing})
    return len(missing)


def high_watermarks(cluster: Cluster, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    """Return where each partition of the topics ends, counting what is not yet committed.

    A consumer at read_committed asks for less: the last stable offset, which a transaction whose
    marker is still on its way holds back. Raises Transient.
    """
    client = admin(cluster)
    try:
        known = client.list_topics(timeout=ADMIN_TIMEOUT_S).topics
        asked = {
            TopicPartition(topic, partition): OffsetSpec.latest()  # type: ignore[no-untyped-call]
            for topic in topics
            for partition in known[topic].partitions
        }
        found = client.list_offsets(
            asked,
            isolation_level=IsolationLevel.READ_UNCOMMITTED,
            request_timeout=ADMIN_TIMEOUT_S,
        )
        return {
            (place.topic, place.partition): future.result(ADMIN_TIMEOUT_S).offset
            for place, future in found.items()
        }
    except (KafkaException, KeyError) as error:
        raise Transient(f"the ends of the topics could not be read: {error}") from error


def span_of(message: Message) -> tracing.Span | None:
    """Begin the span of working a record in; None when it goes on with no trace."""
    headers: Any = message.headers()
    place = (message.topic() or "", message.partition() or 0, message.offset() or 0)
    return tracing.process(place, tracing.of_headers(headers))


def park(error: PoisonMessage, message: Message, attempt: int = 1) -> tuple[str, Headers]:
    """Return the dead-letter topic and all headers of a record that can never be used.

    It keeps its own headers, before those that say why it is there.
    """
    own = message.headers() or []
    reasons = dead_letter_headers(
        error,
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        attempt=attempt,
    )
    return f"{message.topic()}.dlq", [*(own.items() if isinstance(own, dict) else own), *reasons]


def dead_letter_headers(
    error: PoisonMessage, *, topic: str, partition: int, offset: int, attempt: int = 1
) -> list[tuple[str, bytes]]:
    """Say why a record was parked, where it came from, when, and at which attempt."""
    return [
        ("reason", error.reason.encode()),
        ("detail", error.detail.encode()),
        ("topic", topic.encode()),
        ("partition", str(partition).encode()),
        ("offset", str(offset).encode()),
        ("attempt", str(attempt).encode()),
        ("parked_at", datetime.now(UTC).isoformat().encode()),
    ]


def _await_known(cluster: Cluster, names: set[str]) -> None:
    """Wait until the broker knows of topics: a controller says "created" before brokers heard it.

    Raises Transient.
    """
    until = time.monotonic() + ADMIN_TIMEOUT_S
    while unknown := names - topics_of(cluster).keys():
        if time.monotonic() > until:
            raise Transient(f"created topics do not show up: {', '.join(sorted(unknown))}")
        time.sleep(KNOWN_POLL_S)


def _too_small(cluster: Cluster, topics: Iterable[Topic]) -> dict[str, tuple[int, int]]:
    """Return the topics that take only smaller records than they must: what they take, and must."""
    wanted = {topic.name: int(topic.config[LIMIT]) for topic in topics if LIMIT in topic.config}
    if not wanted:
        return {}
    client = admin(cluster)
    asked = [ConfigResource("topic", name) for name in wanted]
    try:
        found = {
            resource.name: int(future.result(ADMIN_TIMEOUT_S)[LIMIT].value)
            for resource, future in client.describe_configs(asked).items()
        }
    except KafkaException as error:
        # The topics were in the metadata: one unknown here was made or deleted a moment ago.
        unknown = error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART
        kind = Transient if unknown else Misconfigured
        raise kind(f"the settings of topics cannot be read: {error}") from error
    return {name: (found[name], least) for name, least in wanted.items() if found[name] < least}
