"""A Kafka broker of one node: KRaft, made for one machine."""

import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from stack import classes, downloads, java
from stack.environment import base
from stack.family import Family
from stack.places import HOST, free_port
from stack.process import Process, run

START_LIMIT_S = 90.0
FORMAT_LIMIT_S = 60.0
STOP_LIMIT_S = 20.0
REHEARSED_LIMIT_S = 120.0
"""A broker that writes the archive of its classes takes longer to end."""
HEAP_MB = 512

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={data}

# Topics are declared in libs/common and created from there.
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1

# One node: each internal topic has one replica, and few partitions, for a quick start.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1

# A group of one member need not wait for others, and a killed one is missed soon.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
"""


class Kafka:
    """A broker that runs; made by ``start``."""

    def __init__(self, process: Process, port: int) -> None:
        """Hold a running broker; use ``start``."""
        self.process = process
        self.port = port

    @classmethod
    def start(
        cls,
        folder: Path,
        port: int | None = None,
        *,
        more: Mapping[str, str] | None = None,
        family: Family | None = None,
    ) -> Self:
        """Start a broker whose data and log lie in ``folder``; on a used folder it goes on there.

        Listens on ``port`` (default: a free one) of the loopback address. ``more`` properties are
        added; one that ours name, too, replaces ours. Returns when it answers. Raises Missing,
        PartFailed, Closing.
        """
        shared = (shared_classes(),)
        return cls._run(folder, port, more=more, family=family, formatter=shared, broker=shared)

    @classmethod
    def _run(
        cls,
        folder: Path,
        port: int | None = None,
        *,
        more: Mapping[str, str] | None = None,
        family: Family | None = None,
        formatter: Sequence[str],
        broker: Sequence[str],
    ) -> Self:
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        jars = downloads.kafka_jars()
        port = port or free_port()
        properties = folder / "server.properties"
        properties.write_text(
            PROPERTIES.format(
                host=HOST, port=port, controller_port=free_port(), data=folder / "data"
            )
            # Of two lines about one thing, Java's properties take the last.
            + "".join(f"{name}={value}\n" for name, value in (more or {}).items())
        )
        if not (folder / "data").exists():
            _format(folder, jars, properties, family, formatter)
        process = Process(
            "kafka",
            java.command(
                "kafka.Kafka", jars, folder, str(properties), heap_mb=HEAP_MB, options=broker
            ),
            folder / "kafka.log",
            env=base(),
            cwd=folder,
            family=family,
        )
        started = cls(process, port)
        process.start_ready(started.check, START_LIMIT_S)
        return started

    @property
    def bootstrap_servers(self) -> str:
        """Where clients find the broker."""
        return f"{HOST}:{self.port}"

    def check(self) -> str | None:
        """Tell what is wrong, if anything: the broker must answer a question about itself."""
        # A client of its own each time: one that met a closed port waits before it tries again.
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
        try:
            found = admin.list_topics(timeout=1)
        except KafkaException as error:
            return str(error)
        return None if found.brokers else "it knows no broker"

    def stop(self) -> None:
        """Stop the broker tidily."""
        self.process.stop(STOP_LIMIT_S)

    def __enter__(self) -> Self:
        """Use the broker for a while."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()


def shared_classes() -> str:
    """Return the Java option that shares the broker's classes. Raises Missing, PartFailed."""
    return classes.shared(f"kafka-{downloads.KAFKA}", _rehearse)


def _rehearse(folder: Path, option: str) -> None:
    broker = Kafka._run(folder, formatter=(), broker=(option,))  # noqa: SLF001
    broker.process.stop_by_itself(REHEARSED_LIMIT_S)


def _format(
    folder: Path, jars: Path, properties: Path, family: Family | None, options: Sequence[str]
) -> None:
    cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    # One word: an id that begins with a dash would be taken for an option.
    words = ("format", f"--cluster-id={cluster}", "-c", str(properties))
    run(
        "kafka's storage",
        java.command("kafka.tools.StorageTool", jars, folder, *words, heap_mb=128, options=options),
        folder / "format.log",
        FORMAT_LIMIT_S,
        cwd=folder,
        family=family,
    )
