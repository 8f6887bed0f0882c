"""Kafka Connect with Debezium: one distributed worker, made for low latency on one machine."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from stack import classes, downloads, http, java
from stack.environment import base
from stack.family import Family
from stack.kafka import Kafka
from stack.places import HOST, free_port
from stack.process import Process

START_LIMIT_S = 120.0
STOP_LIMIT_S = 20.0
REHEARSED_LIMIT_S = 120.0
"""A worker that writes the archive of its classes takes longer to end."""
HEAP_MB = 384

PROPERTIES = """\
bootstrap.servers={servers}
group.id=connect
listeners=http://{host}:{port}
rest.advertised.host.name={host}
rest.advertised.port={port}
plugin.path={plugins}
plugin.discovery=service_load

key.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=false
value.converter=org.apache.kafka.connect.json.JsonConverter
value.converter.schemas.enable=false

# Connectors name their passwords; only those of this pattern can be named.
config.providers=env
config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider
config.providers.env.param.allowlist.pattern={secrets}

# Source offsets and records in one transaction (KIP-618); only distributed workers can do it.
exactly.once.source.support=enabled
config.storage.topic=connect-configs
config.storage.replication.factor=1
offset.storage.topic=connect-offsets
offset.storage.replication.factor=1
offset.storage.partitions=1
status.storage.topic=connect-status
status.storage.replication.factor=1
status.storage.partitions=1
offset.flush.interval.ms=1000
producer.linger.ms=0

# There is one worker: when it comes back, it shall go on at once.
scheduled.rebalance.max.delay.ms=0
session.timeout.ms=6000
heartbeat.interval.ms=1500
"""


class Connect:
    """A worker that runs; made by ``start``."""

    def __init__(self, process: Process, port: int) -> None:
        """Hold a running worker; use ``start``."""
        self.process = process
        self.port = port

    @classmethod
    def start(
        cls,
        folder: Path,
        bootstrap_servers: str,
        port: int | None = None,
        *,
        secrets: Mapping[str, str] | None = None,
        family: Family | None = None,
    ) -> Self:
        """Start a worker on a broker; its connectors and offsets live on the broker's topics.

        Connectors may refer to ``secrets`` by name, as ``${env:NAME}``.

        Listens on ``port`` (default: a free one) of the loopback address. Returns when it is
        healthy. Raises Missing, PartFailed, Closing.
        """
        option = shared_classes()
        return cls._run(
            folder, bootstrap_servers, port, secrets=secrets, family=family, option=option
        )

    @classmethod
    def _run(
        cls,
        folder: Path,
        bootstrap_servers: str,
        port: int | None = None,
        *,
        secrets: Mapping[str, str] | None = None,
        family: Family | None = None,
        option: str,
    ) -> Self:
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        port = port or free_port()
        properties = folder / "connect.properties"
        properties.write_text(
            PROPERTIES.format(
                servers=bootstrap_servers,
                host=HOST,
                port=port,
                plugins=downloads.connect_plugins(),
                secrets="|".join(secrets or {}) or "none",
            )
        )
        process = Process(
            "connect",
            java.command(
                "org.apache.kafka.connect.cli.ConnectDistributed",
                downloads.kafka_jars(),
                folder,
                str(properties),
                heap_mb=HEAP_MB,
                options=(option,),
            ),
            folder / "connect.log",
            env=base() | dict(secrets or {}),
            cwd=folder,
            family=family,
        )
        worker = cls(process, port)
        process.start_ready(worker.check, START_LIMIT_S)
        return worker

    @property
    def url(self) -> str:
        """Where the worker's REST API answers."""
        return f"http://{HOST}:{self.port}"

    def check(self) -> str | None:
        """Tell what is wrong, if anything: healthy is who has joined its group (KIP-1017)."""
        return http.check(f"{self.url}/health")

    def stop(self) -> None:
        """Stop the worker tidily."""
        self.process.stop(STOP_LIMIT_S)

    def __enter__(self) -> Self:
        """Use the worker for a while."""
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
    """Return the Java option that shares the worker's classes. Raises Missing, PartFailed."""
    return classes.shared(f"connect-{downloads.KAFKA}", _rehearse)


def _rehearse(folder: Path, option: str) -> None:
    with Kafka.start(folder / "kafka") as broker:
        servers = broker.bootstrap_servers
        worker = Connect._run(folder / "connect", servers, option=option)  # noqa: SLF001
        worker.process.stop_by_itself(REHEARSED_LIMIT_S)
