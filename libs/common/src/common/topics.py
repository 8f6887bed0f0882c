"""Every topic of the system, declared once: the map of the flow.

Row changes enter on ``cdc.*``, become domain events on two lanes, then scores and episodes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

DAY_MS = 24 * 60 * 60 * 1000

RECORD_BYTES_MAX = 8 * 1024 * 1024
"""The largest record that the scorer may have to write: the evidence of a very long history."""

LONG_RECORDS = {"max.message.bytes": str(RECORD_BYTES_MAX)}

PARTITIONS_DEFAULT = 12
"""Partitions of every topic that is keyed by client; fixed for a topic's life."""


SCORER = "scorer"
"""The scorer's name, to Faust and so in its groups and changelogs."""

LEDGERS = "ledgers"
"""The scorer's table."""


@dataclass(frozen=True)
class Topic:
    """One topic: what is on it, who writes it, who reads it, and how the broker keeps it."""

    name: str
    holds: str
    key: str
    written_by: str
    read_by: str
    cleanup: Literal["compact", "delete", "compact,delete"]
    partitions: int | None = None
    """None: the deployment's number of partitions, the same for all such topics."""
    config: Mapping[str, str] = field(default_factory=dict)

    @property
    def broker_config(self) -> dict[str, str]:
        """The topic's whole configuration as the broker takes it."""
        compacted = {"max.compaction.lag.ms": str(14 * DAY_MS)}
        return {
            "cleanup.policy": self.cleanup,
            **(compacted if "compact" in self.cleanup else {}),
            **self.config,
        }


KEPT_A_WEEK = {
    "min.compaction.lag.ms": str(7 * DAY_MS),
    "delete.retention.ms": str(7 * DAY_MS),
}


def _cdc(table: str) -> Topic:
    return Topic(
        name=f"cdc.public.{table}",
        holds=f"raw row changes of {table}",
        key="the row's primary key",
        written_by="Debezium",
        read_by="cdc-relay",
        cleanup="compact",
        partitions=1,
        config=KEPT_A_WEEK,
    )


CDC_CLIENTS = _cdc("clients")
CDC_ORDERS = _cdc("orders")
CDC_POLICIES = _cdc("policies")
CDC_HEARTBEAT = _cdc("cdc_heartbeat")

CDC_HEARTBEATS = Topic(
    name="__debezium-heartbeat.cdc",
    holds="a sign of life of the connector",
    key="server name",
    written_by="Debezium",
    read_by="nobody; keeps the slot moving",
    cleanup="delete",
    partitions=1,
    config={"retention.ms": str(DAY_MS)},
)

CDC_NOTIFICATIONS = Topic(
    name="cdc.notifications",
    holds="progress and completion of snapshots",
    key="none",
    written_by="Debezium",
    read_by="cdc-relay",
    cleanup="delete",
    partitions=1,
    config={"retention.ms": str(7 * DAY_MS)},
)

CDC_SIGNALS = Topic(
    name="cdc.public.cdc_signals",
    holds="what Debezium was asked to do, and the marks it sets itself while it does",
    key="the row's primary key",
    written_by="Debezium",
    read_by="nobody",
    cleanup="delete",
    partitions=1,
    config={"retention.ms": str(DAY_MS)},
)

LIVE = Topic(
    name="client.events",
    holds="domain events of live changes",
    key="client id + entity, as 42/order/7; partitioned by client id",
    written_by="cdc-relay's main loop alone; engage erase, for rows whose deletion nobody captured",
    read_by="scorer, what-if",
    cleanup="compact",
)

BACKFILL = Topic(
    name="client.events.backfill",
    holds="domain events of snapshots, backfills and re-sent dead letters",
    key=LIVE.key,
    written_by="cdc-relay, engage",
    read_by="scorer, what-if",
    cleanup="compact",
)

CONTROL = Topic(
    name="scorer.control",
    holds="time, snapshot in progress, policy as data, and which generation of the scorer speaks",
    key="tick, snapshot, policy/<version> or generation, in every partition",
    written_by="scorers (ticks for their partitions), engage (generation), cdc-relay (the others)",
    read_by="scorer",
    cleanup="compact",
    config={"message.timestamp.type": "LogAppendTime"},
)

SCORES = Topic(
    name="client.scores",
    holds="each client's latest score, with why",
    key="client id",
    written_by="scorer",
    read_by="projector, server-sent events",
    cleanup="compact",
    config=LONG_RECORDS,
)

AT_RISK = Topic(
    name="client.at-risk",
    holds="episodes opened and closed, with their evidence",
    key="client id",
    written_by="scorer",
    read_by="mailer, server-sent events",
    # Compacted, too, so that the evidence of an erased client goes as soon as on the lanes. A
    # mailer may be a week behind and misses nothing.
    cleanup="compact,delete",
    config={
        "retention.ms": str(30 * DAY_MS),
        "min.compaction.lag.ms": str(7 * DAY_MS),
        **LONG_RECORDS,
    },
)


def group_of(generation: int) -> str:
    """Return the consumer group of a generation of the scorer, as Faust names it."""
    return SCORER if generation == 1 else f"{SCORER}-v{generation}"


def changelog_of(generation: int) -> Topic:
    """Return the topic from which a generation's rows can be recovered, as Faust names it."""
    return Topic(
        name=f"{group_of(generation)}-{LEDGERS}-changelog",
        holds="each client's row as the scorer stores it",
        key="client id, client id/segment, or !policy, !snapshot, !tick, !generation",
        written_by="scorer",
        read_by="scorer",
        cleanup="compact",
        config=LONG_RECORDS,
    )


def dead_letters_of(topic: Topic) -> Topic:
    """Return the topic on which readers of ``topic`` park what they cannot use."""
    return Topic(
        name=f"{topic.name}.dlq",
        holds=f"records of {topic.name} as they came, with reason, place and attempt as headers",
        key="as the source",
        written_by=f"the reader of {topic.name}",
        read_by="engage dlq",
        cleanup="delete",
        partitions=1,
        config={"retention.ms": str(7 * DAY_MS), **LONG_RECORDS},
    )


READ_BY_US = (
    CDC_CLIENTS,
    CDC_ORDERS,
    CDC_POLICIES,
    CDC_NOTIFICATIONS,
    LIVE,
    BACKFILL,
    CONTROL,
    SCORES,
    AT_RISK,
)

TOPICS: tuple[Topic, ...] = (
    CDC_CLIENTS,
    CDC_ORDERS,
    CDC_POLICIES,
    CDC_HEARTBEAT,
    CDC_HEARTBEATS,
    CDC_NOTIFICATIONS,
    CDC_SIGNALS,
    LIVE,
    BACKFILL,
    CONTROL,
    SCORES,
    AT_RISK,
    *(dead_letters_of(topic) for topic in READ_BY_US),
)
