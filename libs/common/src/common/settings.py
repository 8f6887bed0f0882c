"""Settings from the environment: read once at start, checked, passed as arguments, never global."""

import sys
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings

from common.cluster import Cluster, KafkaSecurity
from common.topics import PARTITIONS_DEFAULT

EXIT_MISCONFIGURED = 2

Sampler = Literal[
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
]


class ServiceSettings(KafkaSecurity):
    """What every service needs from its environment. Names are upper case, without prefix."""

    kafka_bootstrap_servers: str
    topic_partitions: Annotated[int, Field(ge=1, le=1024)] = PARTITIONS_DEFAULT
    shop_time_zone: str = "UTC"
    shop_currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    """What scores and values are reckoned in, and of an order that names no other."""
    clock_file: Path | None = None
    """The shared anchor of the business clock; real time without."""
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    start_wait_s: Annotated[float, Field(ge=0, le=3600)] = 0
    """How long to wait at start for Kafka and Postgres to answer; 0 asks once."""
    health_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Port of /metrics and, but for client-api, of /livez and /readyz; 0 picks a free one."""
    otel_exporter_otlp_endpoint: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    """Who takes traces, as OTLP over HTTP; nothing is traced without."""
    otel_traces_sampler: Sampler | None = None
    """Which traces are recorded; OpenTelemetry reads it, and where none is named, ours the next."""
    otel_traces_sampler_arg: Annotated[float, Field(ge=0, le=1)] | None = None
    """The share of those that begin here, by ratio; of no sampler in particular 0.01."""

    @field_validator("shop_time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{name!r} is no time zone") from None
        return name

    @property
    def kafka(self) -> Cluster:
        """Kafka, and what is shown to it; raises Misconfigured where a file cannot be used."""
        return self.cluster(self.kafka_bootstrap_servers)

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone: its days are the days of scoring."""
        return ZoneInfo(self.shop_time_zone)


S = TypeVar("S", bound=BaseSettings)


def load(cls: type[S]) -> S:
    """Read settings from the environment, or say in one line what is missing and exit with 2."""
    try:
        return cls()
    except ValidationError as error:
        problems = ", ".join(
            f"{'.'.join(str(p) for p in e['loc']).upper() or 'settings'} ({e['msg']})"
            for e in error.errors(include_url=False, include_input=False)
        )
        sys.stderr.write(f"cannot start: check the environment: {problems}\n")
        raise SystemExit(EXIT_MISCONFIGURED) from None
