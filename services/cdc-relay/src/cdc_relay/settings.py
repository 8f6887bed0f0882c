"""What the relay and its one-shot commands need from the environment."""

from typing import Annotated

from pydantic import Field

from common.settings import ServiceSettings


class RelaySettings(ServiceSettings):
    """The loop's settings."""

    relay_records_per_s: Annotated[int, Field(ge=1)] = 20_000
    """The most records written per second, all lanes together."""
    relay_batch_max: Annotated[int, Field(ge=1, le=50_000)] = 5_000
    """Records of one transaction; bigger ones copied no faster when measured."""
    relay_batch_ms: Annotated[int, Field(ge=0, le=10_000)] = 20
    """Transactions begin no closer together; a first record after a pause flows at once."""
    relay_transactional_id: Annotated[str, Field(min_length=1)] = "cdc-relay-0"
    """Whoever starts last under this name fences the others, in Kafka's group and transactions."""


class TopicsSettings(ServiceSettings):
    """The settings of ``topics``."""

    replication_factor: Annotated[int, Field(ge=1, le=9)] = 1


class ConnectorSettings(ServiceSettings):
    """The settings of ``connector``: where Connect is, and what Connect needs to reach Postgres."""

    connect_url: str = "http://127.0.0.1:8083"
    cdc_database_host: str
    cdc_database_port: Annotated[int, Field(ge=1, le=65535)] = 5432
    cdc_database_name: str = "engage"
    cdc_database_user: str = "cdc"
    cdc_password_reference: Annotated[str, Field(pattern=r"^\$\{\w+:[^{}\s]+\}$")] = (
        "${env:CDC_DATABASE_PASSWORD}"  # noqa: S105 - where the password is, not what it is
    )
    """Where Connect itself finds the password: Connect keeps a connector's configuration on a topic
    and shows it to whoever asks, so the password must not stand in it."""
