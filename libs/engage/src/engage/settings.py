"""Where the system is: from the environment, or from the state file of a stack on this machine.

Both are never mixed: half of one system and half of another would be worse than neither.
"""

import json
import os
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr, ValidationError

from common.cluster import FILES, PROTOCOL, Cluster, KafkaSecurity
from common.errors import Misconfigured
from common.topics import PARTITIONS_DEFAULT

STATE_FILE = Path(".run") / "state.json"
"""Where ``python -m stack up`` and the demo tell how they are reached, below the checkout."""
NAMED = ("KAFKA_BOOTSTRAP_SERVERS", "CONNECT_URL", "ENGAGE_DATABASE_URL")
"""Any of these in the environment: all settings come from there."""
OF_STATE = {
    "bootstrap_servers": "kafka_bootstrap_servers",
    "connect_url": "connect_url",
    "engage_database_url": "engage_database_url",
    "api_url": "client_api_url",
    "mailer_url": "mailer_url",
    "topic_partitions": "topic_partitions",
    "clock_file": "clock_file",
    "issuer_url": "auth_issuer",
    "auth_audience": "auth_audience",
    "tools_client_id": "tools_client_id",
    "tools_client_secret": "tools_client_secret",
}
"""Our names for what stands in a state file."""
IN_THE_CLEAR = {PROTOCOL.lower(): "PLAINTEXT", **{name.lower(): None for name in FILES}}
"""How a stack's Kafka is spoken to, whatever the environment says of another one."""


def _is_a_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone") from None
    return name


class Settings(KafkaSecurity):
    """What the commands may need. What is missing is missed by those that need it, by name."""

    kafka_bootstrap_servers: str | None = None
    topic_partitions: Annotated[int, Field(ge=1, le=1024)] = PARTITIONS_DEFAULT
    connect_url: str | None = None
    engage_database_url: SecretStr | None = None
    """Postgres, as the role ``engage``: it reads what is captured and nothing personal."""
    client_api_url: str | None = None
    auth_issuer: str | None = None
    """The OIDC issuer whose tokens open client-api."""
    auth_audience: str | None = None
    """For whom they are, where the issuer wants to be told."""
    tools_client_id: str | None = None
    """Our own client at the issuer."""
    tools_client_secret: SecretStr | None = None
    tools_scope: str | None = None
    """What to ask the issuer for; the scopes that a command needs without."""
    mailer_url: str | None = None
    """The mailer's health address, to tell whether it asks its model."""
    shop_time_zone: Annotated[str, AfterValidator(_is_a_zone)] = "UTC"
    clock_file: Path | None = None
    """The shared anchor of the business clock; real time without."""

    @classmethod
    def find(cls, stack_file: Path | None = None) -> Self:
        """Take a named state file, else the environment, else the state file of this checkout.

        Raises Misconfigured.
        """
        if stack_file is None and any(os.environ.get(name) for name in NAMED):
            return cls._checked({})
        file = stack_file or _nearest(Path.cwd())
        if file is None:
            raise Misconfigured(
                f"nothing says where the system is: set {', '.join(NAMED)}, or start one here "
                "(make demo, make up), or name its state file with --stack-file"
            )
        return cls._checked(_of_state(file))

    @classmethod
    def _checked(cls, values: dict[str, Any]) -> Self:
        try:
            return cls(**values)
        except ValidationError as error:
            wrong = ", ".join(
                f"{'.'.join(str(p) for p in e['loc']).upper() or 'settings'} ({e['msg']})"
                for e in error.errors(include_url=False, include_input=False)
            )
            raise Misconfigured(f"check the settings: {wrong}") from None

    @property
    def kafka(self) -> Cluster:
        """Kafka, and what is shown to it; raises Misconfigured without an address or a file."""
        return self.cluster(self._need(self.kafka_bootstrap_servers, "KAFKA_BOOTSTRAP_SERVERS"))

    @property
    def connect(self) -> str:
        """Kafka Connect's address; raises Misconfigured without one."""
        return self._need(self.connect_url, "CONNECT_URL")

    @property
    def database(self) -> str:
        """The URL of Postgres; raises Misconfigured without one. It holds a password."""
        secret = self.engage_database_url
        url = self._need(
            None if secret is None else secret.get_secret_value(), "ENGAGE_DATABASE_URL"
        )
        if _scheme(url) not in {"postgresql", "postgres"}:
            raise Misconfigured(
                "ENGAGE_DATABASE_URL must look like postgresql://engage:password@host:port/name"
            )
        return url

    @property
    def tools(self) -> tuple[str, str, str]:
        """The issuer, our client there and its secret; raises Misconfigured without one."""
        secret = self.tools_client_secret
        return (
            self._need(self.auth_issuer, "AUTH_ISSUER"),
            self._need(self.tools_client_id, "TOOLS_CLIENT_ID"),
            self._need(
                None if secret is None else secret.get_secret_value(), "TOOLS_CLIENT_SECRET"
            ),
        )

    def _need(self, value: str | None, name: str) -> str:
        if not value:
            raise Misconfigured(f"{name} is not set, and no state file of a stack says it")
        return value


def _scheme(url: str) -> str | None:
    """Return a URL's scheme, None when it is no URL, as with a bare bracket in its password."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        return None


def _nearest(folder: Path) -> Path | None:
    """Return the state file of the checkout that a folder lies in, if there is one."""
    for place in (folder, *folder.parents):
        if (place / STATE_FILE).is_file():
            return place / STATE_FILE
    return None


def _of_state(file: Path) -> dict[str, Any]:
    try:
        state = json.loads(file.read_text())
    except OSError as error:
        raise Misconfigured(f"the state file {file} cannot be read: {error.strerror}") from None
    except ValueError:
        state = None
    if not isinstance(state, dict) or not OF_STATE.keys() & state.keys():
        raise Misconfigured(f"{file} is no state file of a stack")
    told = {ours: state[theirs] for theirs, ours in OF_STATE.items() if state.get(theirs)}
    return told | IN_THE_CLEAR
