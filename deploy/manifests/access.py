"""What each service may do on Kafka: no more than its code does.

Read, Write, Delete and Alter imply Describe; AlterConfigs implies DescribeConfigs (Kafka's
authorizer). ``common.kafka.verify`` asks for the limits of topics with long records, hence
DescribeConfigs. Idempotent producers need no right of their own since Kafka 3.0.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cdc_relay.__main__ import NAME as RELAY
from cdc_relay.connector import NAME as CONNECTOR
from cdc_relay.settings import RelaySettings
from cdc_relay.source import SOURCES as RELAYED
from client_api.live.kafka_feed import GROUP as EVENTS
from client_api.projector.run import GROUP as PROJECTOR
from common.topics import (
    AT_RISK,
    BACKFILL,
    CDC_CLIENTS,
    CDC_HEARTBEAT,
    CDC_NOTIFICATIONS,
    CDC_ORDERS,
    CONTROL,
    LIVE,
    READ_BY_US,
    SCORER,
    SCORES,
    TOPICS,
    Topic,
    dead_letters_of,
)
from deploy.manifests.documents import Document, Inline
from deploy.manifests.names import CLUSTER_LABEL, STRIMZI, wave
from deploy.manifests.topics import WORKER, connects_own
from engage.broker import READER
from engage.erase_letters import WRITER as ERASER
from engage.history_reader import NAME as HISTORY
from engage.letters import GROUP as LETTERS
from engage.rebuild_generation import WRITER as ANNOUNCER
from mailer.episodes.intake import GROUP as MAILER
from scorer.app import SOURCES as SCORED

Kind = Literal["topic", "group", "transactionalId"]

CHANGELOGS = f"{SCORER}-"
"""The changelogs of all generations begin so, and so do the transactions of their partitions."""
RELAY_WRITER: str = RelaySettings.model_fields["relay_transactional_id"].default
CONNECT_GROUP = WORKER["group.id"]
CONNECT_WRITERS = (f"connect-cluster-{CONNECT_GROUP}", f"{CONNECT_GROUP}-{CONNECTOR}-0")
"""The names under which Connect writes its own topics and the connector's one task (KIP-618)."""
CAPTURED = tuple(topic for topic in TOPICS if topic.written_by == "Debezium")
DEAD_LETTERS = tuple(dead_letters_of(topic) for topic in READ_BY_US)


@dataclass(frozen=True)
class Grant:
    """Operations on one resource, or on all whose names begin so."""

    kind: Kind
    name: str
    operations: tuple[str, ...]
    prefix: bool = False


def grants() -> dict[str, tuple[Grant, ...]]:
    """Return what each user may do, by the user's name."""
    return {
        "client-api": _client_api(),
        "projector": (
            *_topics([SCORES], "Read", "DescribeConfigs"),
            *_topics([dead_letters_of(SCORES)], "Write", "DescribeConfigs"),
            Grant("group", PROJECTOR, ("Read",)),
        ),
        "cdc-relay": (
            *_topics(_relayed(), "Read"),
            *_topics(map(dead_letters_of, _relayed()), "Write", "DescribeConfigs"),
            *_topics([LIVE, BACKFILL, CONTROL], "Write"),
            Grant("group", RELAY, ("Read",)),
            Grant("transactionalId", RELAY_WRITER, ("Write",)),
        ),
        "capture": _topics([CDC_NOTIFICATIONS, CONTROL], "Write"),
        "scorer": (
            *_topics([LIVE, BACKFILL], "Read"),
            *_topics([CONTROL], "Read", "Write"),
            *_topics([SCORES, AT_RISK], "Write", "DescribeConfigs"),
            *_topics(map(dead_letters_of, SCORED), "Write", "DescribeConfigs"),
            Grant("topic", CHANGELOGS, ("Create", "Read", "Write", "DescribeConfigs"), prefix=True),
            Grant("group", SCORER, ("Read",), prefix=True),
            Grant("transactionalId", CHANGELOGS, ("Write",), prefix=True),
        ),
        "mailer": (
            *_topics([AT_RISK], "Read", "DescribeConfigs"),
            *_topics([dead_letters_of(AT_RISK)], "Write", "DescribeConfigs"),
            Grant("group", MAILER, ("Read",)),
        ),
        "connect": (
            *_topics(connects_own(), "Read", "Write", "DescribeConfigs"),
            *_topics(CAPTURED, "Write"),
            Grant("group", CONNECT_GROUP, ("Read",)),
            *(Grant("transactionalId", name, ("Write",)) for name in CONNECT_WRITERS),
        ),
        "engage": (
            *_operators(),
            *_topics([CONTROL], "Write"),
            Grant("transactionalId", ANNOUNCER, ("Write",)),
        ),
    }


def scaler() -> tuple[Grant, ...]:
    """Return what KEDA may do: see how far the scaled groups are behind."""
    return (
        *_topics([SCORES, LIVE, BACKFILL], "Describe"),
        Grant("group", PROJECTOR, ("Describe",)),
        Grant("group", SCORER, ("Describe",), prefix=True),
    )


def user(name: str, may: Iterable[Grant], wave_number: int = -1) -> Document:
    """Return a user, who is known by a client certificate; it lies in a secret of the same name."""
    return {
        "apiVersion": STRIMZI,
        "kind": "KafkaUser",
        "metadata": {"name": f"kafka-{name}", "labels": CLUSTER_LABEL, **wave(wave_number)},
        "spec": {
            "authentication": {"type": "tls"},
            "authorization": {"type": "simple", "acls": [_acl(grant) for grant in may]},
        },
    }


def users() -> list[Document]:
    """Return the users of all services."""
    return [user(name, may) for name, may in grants().items()]


def _client_api() -> tuple[Grant, ...]:
    """Live events, and what people start from the page: the operators' work, but for rebuilds."""
    return (*_operators(), Grant("group", EVENTS, ("Read",)))


def _operators() -> tuple[Grant, ...]:
    """Look everywhere; write to the lanes, and take out of every place what is erased."""
    return (
        *_topics([*_relayed(), CDC_HEARTBEAT, CONTROL], "Read"),
        *_topics([CDC_CLIENTS, CDC_ORDERS], "Write"),
        *_topics([LIVE, BACKFILL], "Read", "Write"),
        *_topics([SCORES, AT_RISK], "Read", "Write", "DescribeConfigs"),
        *_topics(DEAD_LETTERS, "Read", "Write", "Delete"),
        Grant("topic", CHANGELOGS, ("Read", "Write"), prefix=True),
        *(Grant("group", name, ("Describe",)) for name in (RELAY, PROJECTOR, MAILER)),
        Grant("group", SCORER, ("Describe",), prefix=True),
        *(Grant("group", name, ("Read",)) for name in (LETTERS, READER, HISTORY)),
        Grant("transactionalId", ERASER, ("Write",), prefix=True),
    )


def _relayed() -> tuple[Topic, ...]:
    return tuple(topic for topic in READ_BY_US if topic.name in RELAYED)


def _topics(topics: Iterable[Topic], *operations: str) -> tuple[Grant, ...]:
    return tuple(Grant("topic", topic.name, operations) for topic in topics)


def _acl(grant: Grant) -> Document:
    pattern = "prefix" if grant.prefix else "literal"
    resource = {"type": grant.kind, "name": grant.name, "patternType": pattern}
    return Inline(resource=resource, operations=list(grant.operations))
