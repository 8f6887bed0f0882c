"""Every topic as a KafkaTopic: ours from ``common.topics``, Connect's own from how it is started.

Changelogs are named by the generation of the scorer. That of the first one is here; a later one is
made by the scorer that needs it first, so that a rebuild waits for nobody.
"""

import re
from pathlib import Path

from common.topics import TOPICS, Topic, changelog_of
from deploy.manifests.documents import Document
from deploy.manifests.names import CLUSTER_LABEL, STRIMZI, wave
from stack.connect import PROPERTIES

PARTITIONS_FILE = Path(__file__).resolve().parents[1] / "k8s" / "base" / "partitions.env"
"""What services are told is what topics are given."""
REPLICAS = 3
FIRST_GENERATION = 1

WORKER = dict(
    line.split("=", 1) for line in PROPERTIES.splitlines() if line and not line.startswith("#")
)
"""How the embedded stack starts a worker of Connect."""


def resource_name(topic: str) -> str:
    """Return what a topic's document is called: Kubernetes wants no underscores."""
    return re.sub(r"[^a-z0-9.]+", "-", topic).strip("-.")


def partitions() -> int:
    """Return how many partitions the topics of the flow have."""
    (line,) = re.findall(r"^TOPIC_PARTITIONS=(\d+)$", PARTITIONS_FILE.read_text(), re.MULTILINE)
    return int(line)


def topics() -> list[Document]:
    """Return all topics, in the order of the flow."""
    ours = (*TOPICS, changelog_of(FIRST_GENERATION))
    return [*(_document(topic) for topic in connects_own()), *(_document(topic) for topic in ours)]


def connects_own() -> tuple[Topic, ...]:
    """Return the topics on which Connect keeps what it knows; it wants them compacted."""

    def own(kind: str, holds: str) -> Topic:
        return Topic(
            name=WORKER[f"{kind}.storage.topic"],
            holds=holds,
            key="Connect's own",
            written_by="Connect",
            read_by="Connect",
            cleanup="compact",
            partitions=int(WORKER.get(f"{kind}.storage.partitions", "1")),
        )

    return (
        own("config", "connectors and their configuration"),
        own("offset", "how far connectors have read"),
        own("status", "whether connectors run"),
    )


def _document(topic: Topic) -> Document:
    return {
        "apiVersion": STRIMZI,
        "kind": "KafkaTopic",
        "metadata": {
            "name": resource_name(topic.name),
            "labels": CLUSTER_LABEL,
            **wave(-1),
        },
        "spec": {
            "topicName": topic.name,
            "partitions": topic.partitions or partitions(),
            "replicas": REPLICAS,
            "config": topic.broker_config,
        },
    }
