"""Which environment each service gets: made from ports, secrets and the choice of the model."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from stack.errors import Missing
from stack.places import HOST, Ports
from stack.tokens import AUDIENCE, CLIENT_ID, TOOLS_CLIENT_ID

DATABASE = "engage"

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "JAVA_HOME", "LD_LIBRARY_PATH")
"""What a child may see of our environment; keys and tokens are none of its business."""

TRACING = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "",
    "OTEL_TRACES_SAMPLER": "parentbased_always_on",
    "OTEL_TRACES_SAMPLER_ARG": "",
}
"""Who takes traces, and of how many requests, unless our own environment says so: nobody. Of all
once somebody does: there are few, and somebody looks for one."""

KEPT_FOR_THE_MODEL = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"),
    "OPENROUTER_BASE_URL",
)

SANDBOX_MODEL = "sandbox/writer-1"
SANDBOX_PROVIDER = "sandbox"


@dataclass(frozen=True)
class Secrets:
    """The passwords and salts of one run, kept in its folder."""

    client_api: str
    mailer: str
    cdc: str
    holdout_salt: str
    engage: str
    link_key: str
    tools: str

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Return the secrets of a run's folder, made up when it is new; its owner alone reads."""
        file = folder / "secrets.json"
        known = json.loads(file.read_text()) if file.is_file() else {}
        # A folder of an older version lacks what this one needs: it gets that too.
        made = {field.name: secrets.token_urlsafe(24) for field in fields(cls)}
        found = cls(**{**made, **known})
        if asdict(found) != known:
            file.touch(mode=0o600)
            file.write_text(json.dumps(asdict(found)))
        return found


@dataclass(frozen=True)
class Model:
    """Which model the mailer asks: chosen at start, never switched."""

    sandbox: bool
    environment: Mapping[str, str]

    @classmethod
    def choose(cls, ours: Mapping[str, str], ports: Ports) -> Self:
        """Choose the real one when its key is set, the sandbox otherwise.

        Raises Missing when there is a key but no word on which model and provider to use.
        """
        key = ours.get("OPENROUTER_API_KEY", "")
        if not key:
            return cls(
                sandbox=True,
                environment={
                    "OPENROUTER_BASE_URL": f"http://{HOST}:{ports['sandbox']}/api/v1",
                    "OPENROUTER_API_KEY": "sandbox",
                    "OPENROUTER_MODEL": SANDBOX_MODEL,
                    "OPENROUTER_PROVIDER": SANDBOX_PROVIDER,
                },
            )
        named = {name: ours.get(name, "") for name in ("OPENROUTER_MODEL", "OPENROUTER_PROVIDER")}
        if missing := [name for name, value in named.items() if not value]:
            raise Missing(f"OPENROUTER_API_KEY is set, so {' and '.join(missing)} must be, too")
        kept = {name: ours[name] for name in KEPT_FOR_THE_MODEL if name in ours}
        return cls(sandbox=False, environment={"OPENROUTER_API_KEY": key, **named, **kept})


def base() -> dict[str, str]:
    """Return the part of our environment that every child may see."""
    return {name: os.environ[name] for name in KEPT if name in os.environ} | {
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
    }


def _traces() -> dict[str, str]:
    return {name: os.environ.get(name) or usual for name, usual in TRACING.items()}


@dataclass(frozen=True)
class Surroundings:
    """Where everything of one run is; the ``for_…`` methods say what each part is told of it."""

    folder: Path
    ports: Ports
    secrets: Secrets
    admin_password: str
    model: Model
    partitions: int
    clock_file: Path
    dashboard: Path | None

    def _database(self, role: str, password: str) -> str:
        return f"postgresql://{role}:{password}@{HOST}:{self.ports['postgres']}/{DATABASE}"

    @property
    def admin_url(self) -> str:
        """The superuser's URL of our database."""
        return self._database("postgres", self.admin_password)

    def url(self, part: str) -> str:
        """The HTTP address of a part."""
        return f"http://{HOST}:{self.ports[part]}"

    @property
    def bootstrap_servers(self) -> str:
        """The address of Kafka."""
        return f"{HOST}:{self.ports['kafka']}"

    @property
    def server_url(self) -> str:
        """The superuser's URL of the server's first database."""
        return (
            f"postgresql://postgres:{self.admin_password}@{HOST}:{self.ports['postgres']}/postgres"
        )

    @property
    def client_api_url(self) -> str:
        """The URL of our database for client-api and the projector."""
        return self._database("client_api", self.secrets.client_api)

    @property
    def mailer_url(self) -> str:
        """The URL of our database for the mailer."""
        return self._database("mailer", self.secrets.mailer)

    @property
    def engage_url(self) -> str:
        """The URL of our database for operators."""
        return self._database("engage", self.secrets.engage)

    @property
    def sandbox_journal(self) -> Path:
        """Where the sandbox model notes what it was asked and what it answered."""
        return self.folder / "logs" / "sandbox-journal.jsonl"

    @property
    def _shared(self) -> dict[str, str]:
        return base() | {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "TOPIC_PARTITIONS": str(self.partitions),
            "CLOCK_FILE": str(self.clock_file),
        }

    def _service(self, name: str) -> dict[str, str]:
        return self._shared | {"HEALTH_PORT": str(self.ports[name])} | _traces()

    def for_migration(self) -> dict[str, str]:
        """``client_api migrate``."""
        return base() | {
            "DATABASE_ADMIN_URL": self.admin_url,
            "CLIENT_API_PASSWORD": self.secrets.client_api,
            "MAILER_PASSWORD": self.secrets.mailer,
            "CDC_PASSWORD": self.secrets.cdc,
            "ENGAGE_PASSWORD": self.secrets.engage,
        }

    def for_topics(self) -> dict[str, str]:
        """``cdc_relay topics``."""
        return self._shared | {"REPLICATION_FACTOR": "1"}

    def for_client_api(self) -> dict[str, str]:
        """``client_api serve``."""
        dashboard = {"DASHBOARD_DIR": str(self.dashboard)} if self.dashboard else {}
        return self._service("client-api-metrics") | {
            "DATABASE_URL": self.client_api_url,
            "HTTP_HOST": HOST,
            "HTTP_PORT": str(self.ports["client-api"]),
            "MODEL_SANDBOX": str(self.model.sandbox).lower(),
            "ENGAGE_DATABASE_URL": self.engage_url,
            "CONNECT_URL": self.url("connect"),
            "MAILER_URL": self.url("mailer"),
            "LINK_KEY": self.secrets.link_key,
            "AUTH_ISSUER": self.url("issuer"),
            "AUTH_AUDIENCE": AUDIENCE,
            "AUTH_CLIENT_ID": CLIENT_ID,
            **dashboard,
        }

    def for_projector(self) -> dict[str, str]:
        """``client_api project``."""
        return self._service("projector") | {
            "DATABASE_URL": self.client_api_url,
        }

    def for_relay(self) -> dict[str, str]:
        """``cdc_relay``."""
        return self._service("relay") | self._capture

    def for_connector(self) -> dict[str, str]:
        """``cdc_relay connector``: one that ends needs no port of its own."""
        return self._shared | self._capture

    @property
    def _capture(self) -> dict[str, str]:
        return {
            "CONNECT_URL": self.url("connect"),
            "CDC_DATABASE_HOST": HOST,
            "CDC_DATABASE_PORT": str(self.ports["postgres"]),
            "CDC_DATABASE_NAME": DATABASE,
            "CDC_DATABASE_USER": "cdc",
        }

    def for_connect(self) -> dict[str, str]:
        """Kafka Connect: the secrets that its connectors refer to."""
        return {"CDC_DATABASE_PASSWORD": self.secrets.cdc}

    def for_scorer(self) -> dict[str, str]:
        """``scorer``; after a rebuild, GENERATION in our own environment says which one."""
        return self._service("scorer") | {
            "SCORER_DATA_DIR": str(self.folder / "scorer"),
            "SCORER_INSTANCE_ID": "scorer-0",
            "GENERATION": os.environ.get("GENERATION", "1"),
        }

    def for_mailer(self) -> dict[str, str]:
        """``mailer``."""
        return self._service("mailer") | {
            "DATABASE_URL": self.mailer_url,
            "HOLDOUT_SALT": self.secrets.holdout_salt,
            "LINK_KEY": self.secrets.link_key,
            "UNSUBSCRIBE_BASE_URL": self.url("client-api"),
            "MODEL_SANDBOX": str(self.model.sandbox).lower(),
            **self.model.environment,
        }

    def for_sandbox(self) -> dict[str, str]:
        """``sandbox``."""
        return base() | {
            "SANDBOX_PORT": str(self.ports["sandbox"]),
            "SANDBOX_JOURNAL": str(self.sandbox_journal),
        }

    def for_issuer(self) -> dict[str, str]:
        """``issuer``: its key lies in the run's folder, so a restart logs nobody out."""
        return base() | {
            "ISSUER_PORT": str(self.ports["issuer"]),
            "ISSUER_KEY_FILE": str(self.folder / "issuer.pem"),
            "ISSUER_AUDIENCE": AUDIENCE,
            "ISSUER_CLIENT_ID": CLIENT_ID,
            "ISSUER_TOOLS_CLIENT_ID": TOOLS_CLIENT_ID,
            "ISSUER_TOOLS_SECRET": self.secrets.tools,
        }
