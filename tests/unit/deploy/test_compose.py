"""Docker Compose's file: each service is told what it asks for, guarded, limited and in order."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic_settings import BaseSettings

from cdc_relay.settings import ConnectorSettings, RelaySettings, TopicsSettings
from client_api.settings import MigrateSettings, ProjectorSettings
from client_api.web.settings import ApiSettings
from issuer.doorway import DoorwaySettings
from issuer.settings import Settings as IssuerSettings
from mailer.delivery.settings import DeliverySettings
from mailer.settings import Settings as MailerSettings
from sandbox.settings import Settings as SandboxSettings
from scorer.settings import Settings as ScorerSettings
from stack import compose_env, connect, downloads, java, kafka, postgres, tokens
from stack.environment import Model, Secrets, Surroundings, base
from stack.launcher import PARTITIONS
from stack.places import ROOT, USUAL_PORTS, Ports
from tests import servers
from tests.deploy import bases
from tests.unit.deploy import compose_file, dockerfiles
from tests.unit.deploy.compose_file import environment
from tests.unit.deploy.test_k8s_pods import STOPS

DEPLOY = ROOT / "deploy"
RAW = compose_file.raw()["services"]
SERVICES: dict[str, dict[str, Any]] = compose_file.usual()["services"]

SETTINGS: dict[str, tuple[type[BaseSettings], ...]] = {
    "migrate": (MigrateSettings,),
    "topics": (TopicsSettings,),
    "connector": (ConnectorSettings,),
    "relay": (RelaySettings,),
    "scorer": (ScorerSettings,),
    "projector": (ProjectorSettings,),
    "client-api": (ApiSettings,),
    "mailer": (MailerSettings, DeliverySettings),
    "sandbox": (SandboxSettings,),
    "issuer": (IssuerSettings,),
    "doorway": (DoorwaySettings,),
}
SERVERS = {"postgres", "kafka", "connect", "prometheus", "grafana"}
ONE_SHOTS = {"migrate", "topics", "connector"}
MIB = {"m": 1, "g": 1024}
LIMIT_S = 60


def names_of(cls: type[BaseSettings], *, required: bool = False) -> set[str]:
    """Return the variables that settings know, or only those that they cannot do without."""
    prefix = cls.model_config.get("env_prefix", "")
    return {
        f"{prefix}{name}".upper()
        for name, field in cls.model_fields.items()
        if field.is_required() or not required
    }


def image_environment(service: str) -> dict[str, str]:
    """Return what the image of one of ours brings itself, beside what is Python's."""
    name = SERVICES[service]["build"]["args"]["SERVICE"]
    known = dockerfiles.read(dockerfiles.SERVICES).environment(name)
    return {name: value for name, value in known.items() if not name.startswith(("PATH", "PYTHON"))}


def mib(service: str) -> int:
    """Return a memory limit in MiB."""
    text = SERVICES[service]["mem_limit"]
    return int(text[:-1]) * MIB[text[-1]]


# --- what services are told -----------------------------------------------------------------------


def test_every_service_is_looked_at():
    """What is neither a server of others nor named here has no place in the file."""
    assert set(SERVICES) == {*SETTINGS, *SERVERS}


@pytest.mark.parametrize("service", SETTINGS)
def test_a_service_is_told_what_its_settings_know_and_all_that_they_need(service: str):
    """No variable is misspelt or left over, and none is missing that must be there."""
    told = set(environment(SERVICES[service]))
    known = set().union(*(names_of(cls) for cls in SETTINGS[service]))
    needed = set().union(*(names_of(cls, required=True) for cls in SETTINGS[service]))
    assert told <= known
    assert needed <= told
    assert not told & set(image_environment(service))


@pytest.mark.parametrize("service", SETTINGS)
def test_settings_accept_what_a_service_is_told(service: str, monkeypatch: pytest.MonkeyPatch):
    """Read as the service reads it, everything is valid."""
    for name, value in (environment(SERVICES[service]) | image_environment(service)).items():
        monkeypatch.setenv(name, value)
    assert all(cls() for cls in SETTINGS[service])


def surroundings(folder: Path) -> Surroundings:
    """Describe a run of the embedded stack, on its usual ports."""
    ports = Ports(usual=True)
    return Surroundings(
        folder=folder,
        ports=ports,
        secrets=Secrets(*"abcdefg"),
        admin_password="",
        model=Model.choose({}, ports),
        partitions=PARTITIONS,
        clock_file=folder / "clock.json",
        dashboard=folder,
    )


DIFFERENT = {
    # The clock is a matter of demos and tests; the folder and the address are the image's.
    "client-api": {"CLOCK_FILE", "DASHBOARD_DIR", "HTTP_HOST"},
    "projector": {"CLOCK_FILE"},
    # The relay itself needs nothing of the capture's.
    "relay": {"CLOCK_FILE", "CONNECT_URL"}
    | {f"CDC_DATABASE_{name}" for name in ("HOST", "PORT", "NAME", "USER")},
    "scorer": {"CLOCK_FILE"},
    "mailer": {"CLOCK_FILE"},
    "topics": {"CLOCK_FILE"},
    "connector": {"CLOCK_FILE"},
    "sandbox": {"SANDBOX_JOURNAL"},
}
OF_ONES_OWN = {
    # Whether and how emails leave the house, and what the model may cost.
    "mailer": {
        *("DELIVERY", "MAIL_FROM"),
        *(f"SMTP_{name}" for name in ("HOST", "PORT", "TLS", "USER", "PASSWORD")),
        *(f"MODEL_{name}" for name in ("REQUESTS_PER_MINUTE", "TOKENS_PER_MINUTE")),
        "MODEL_COST_PER_DAY_USD",
    },
}
"""What deploy/.env may say and the embedded stack does not: empty is as if it were not there."""
PATIENT = {"client-api", "projector", "relay", "scorer", "mailer"}
"""Containers start together; the embedded stack starts each part when its servers are there."""
SAME_VALUES = re.compile(
    r"AUTH_(AUDIENCE|CLIENT_ID)|ISSUER_(AUDIENCE|\w*CLIENT_ID)|TOPIC_PARTITIONS|REPLICATION_FACTOR"
    r"|CDC_DATABASE_(NAME|USER)|SCORER_INSTANCE_ID|GENERATION|MODEL_SANDBOX"
    r"|OPENROUTER_(API_KEY|MODEL|PROVIDER)"
)


HERE = {"START_WAIT_S": "100", "SHOP_TIME_ZONE": "UTC", "SHOP_CURRENCY": "USD"}
"""What the embedded stack leaves at the services' own defaults; the shop's are theirs, too."""


@pytest.mark.parametrize("service", sorted(set(SETTINGS) - {"doorway"}))
def test_a_service_is_told_what_the_embedded_stack_tells_it(service: str, tmp_path: Path):
    """The same variables, but for a few that are named here; and the same values where no address,
    folder or secret is meant.
    """
    place = surroundings(tmp_path)
    method = {"migrate": "for_migration"}.get(service, f"for_{service.replace('-', '_')}")
    embedded: Mapping[str, str] = getattr(place, method)()
    told = environment(SERVICES[service])
    own = OF_ONES_OWN.get(service, set())
    told_here = {name: told.pop(name) for name in HERE if name in told}
    assert told_here == (HERE if service in PATIENT else {})
    assert set(told) - own == set(embedded) - set(base()) - DIFFERENT.get(service, set())
    assert {told[name] for name in own} <= {""}
    for name in filter(SAME_VALUES.fullmatch, told):
        assert told[name] == embedded[name], name


def test_sending_is_switched_on_by_the_file_of_variables(monkeypatch: pytest.MonkeyPatch):
    """What a person writes there reaches the mailer, whose settings take it."""
    chosen = {
        "DELIVERY": "smtp",
        "SMTP_HOST": "relay.example.com",
        "SMTP_PORT": "465",
        "SMTP_TLS": "tls",
        "SMTP_USER": "shop",
        "SMTP_PASSWORD": "secret",
        "MAIL_FROM": "Shop <news@shop.example>",
        "MODEL_COST_PER_DAY_USD": "25",
    }
    filled = compose_file.filled({**compose_env.completed({}, {}), **chosen})
    for name, value in environment(filled["services"]["mailer"]).items():
        monkeypatch.setenv(name, value)
    delivery, settings = DeliverySettings(), MailerSettings()
    assert (delivery.delivery, delivery.smtp_port, delivery.smtp_user) == ("smtp", 465, "shop")
    assert settings.model_cost_per_day_usd == 25
    assert settings.model_requests_per_minute is None


def test_connect_has_the_one_secret_that_its_connector_names(tmp_path: Path):
    """As in the embedded stack, the password of the role cdc and nothing else."""
    told = environment(SERVICES["connect"])
    assert set(surroundings(tmp_path).for_connect()) == {n for n in told if "PASSWORD" in n}
    assert told["CDC_DATABASE_PASSWORD"] == environment(SERVICES["migrate"])["CDC_PASSWORD"]


def test_all_agree_on_the_number_of_partitions():
    """Whoever is told it is told the same, by one variable; it is the embedded stack's."""
    told = {environment(service).get("TOPIC_PARTITIONS") for service in SERVICES.values()} - {None}
    assert told == {str(PARTITIONS)}
    more = compose_file.filled({**compose_env.completed({}, {}), "TOPIC_PARTITIONS": "12"})
    told = {environment(s).get("TOPIC_PARTITIONS") for s in more["services"].values()} - {None}
    assert told == {"12"}


def test_addresses_lead_to_services_and_to_the_ports_that_they_listen_on():
    """Every host in a variable is a service, and every port the one that this service has."""
    listen = {
        "postgres": 5432,
        "kafka": 9092,
        "connect": 8083,
        "client-api": int(environment(SERVICES["client-api"])["HTTP_PORT"]),
        "mailer": int(environment(SERVICES["mailer"])["HEALTH_PORT"]),
        "issuer": int(environment(SERVICES["issuer"])["ISSUER_PORT"]),
        "sandbox": int(environment(SERVICES["sandbox"])["SANDBOX_PORT"]),
    }
    seen = set()
    for service, name, host, port in addresses():
        if host == "127.0.0.1":
            there = {n for n, s in SERVICES.items() if shares_loopback(s)} & set(listen)
            assert port in {listen[n] for n in there}, (service, name)
            assert shares_loopback(SERVICES[service])
        else:
            assert (host, port) == (host, listen[host]), (service, name)
        seen.add(name)
    assert {"DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "AUTH_ISSUER", "OPENROUTER_BASE_URL"} <= seen


def addresses() -> Iterator[tuple[str, str, str, int]]:
    """Yield service, variable, host and port of everything that looks like an address."""
    for service, told in ((name, environment(SERVICES[name])) for name in SETTINGS):
        for name, value in told.items():
            parts = urlsplit(value if "//" in value else f"//{value}")
            if ("//" in value or re.fullmatch(r"[a-z-]+:\d+", value)) and parts.hostname:
                assert parts.port, f"{service} {name} names no port"
                yield service, name, parts.hostname, parts.port


def shares_loopback(service: Mapping[str, Any]) -> bool:
    """Tell whether a service lives in the doorway's network."""
    return bool(service.get("network_mode") == "service:doorway")


def test_ports_are_published_on_loopback_where_the_embedded_stack_has_them():
    """People find things where they are used to; nobody else finds anything."""
    published = {
        name: service["ports"] for name, service in SERVICES.items() if service.get("ports")
    }
    assert set(published) == {"doorway", "prometheus", "grafana"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    door = environment(SERVICES["doorway"])
    api, issuer = published["doorway"]
    assert api == f"127.0.0.1:{USUAL_PORTS['client-api']}:8000"
    assert issuer == f"127.0.0.1:{USUAL_PORTS['issuer']}:{door['DOORWAY_PORT']}"
    assert door["ISSUER_PORT"] == environment(SERVICES["issuer"])["ISSUER_PORT"]


# --- the servers ----------------------------------------------------------------------------------


def properties(text: str) -> dict[str, str]:
    """Read Java's properties as far as ours go."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return dict(line.partition("=")[::2] for line in lines)


def test_kafka_is_set_up_as_in_the_embedded_stack():
    """But for listeners and folder, the broker's settings are the same."""
    ours = properties((DEPLOY / "kafka" / "server.properties").read_text())
    embedded = properties(kafka.PROPERTIES)
    assert set(ours) == set(embedded)
    own = {"controller.quorum.voters", "listeners", "advertised.listeners", "log.dirs"}
    assert {n: v for n, v in ours.items() if n not in own} == {
        n: v for n, v in embedded.items() if n not in own
    }
    assert ours["advertised.listeners"] == "PLAINTEXT://kafka:9092"
    assert any(volume == f"kafka:{ours['log.dirs']}" for volume in SERVICES["kafka"]["volumes"])


def test_connect_is_set_up_as_in_the_embedded_stack():
    """But for addresses and the plugins' folder, the worker's settings are the same."""
    ours = properties((DEPLOY / "connect" / "connect.properties").read_text())
    (copied,) = dockerfiles.read(dockerfiles.CONNECT).stages[-1].all("COPY")
    embedded = connect.PROPERTIES.format(
        servers="kafka:9092",
        host="connect",
        port=8083,
        plugins=copied.split()[-1].rstrip("/"),
        secrets="CDC_DATABASE_PASSWORD",
    )
    assert ours == properties(embedded) | {"listeners": "http://0.0.0.0:8083"}


@pytest.mark.parametrize(
    ("service", "heap_mb"), [("kafka", kafka.HEAP_MB), ("connect", connect.HEAP_MB)]
)
def test_java_is_run_as_in_the_embedded_stack(service: str, heap_mb: int, tmp_path: Path):
    """Heap, options and logging are the same, and the heap leaves room below the limit."""
    told = environment(SERVICES[service])
    jars = tmp_path / "jars"
    options = [w for w in java.command("Main", jars, tmp_path, heap_mb=heap_mb) if w[:2] == "-X"]
    said = f"{told['KAFKA_HEAP_OPTS']} {told['KAFKA_JVM_PERFORMANCE_OPTS']}".split()
    assert said == options
    assert heap_mb * 1.5 <= mib(service)
    logging = properties((DEPLOY / "kafka" / "log4j2.properties").read_text())
    assert logging == properties(java.LOG4J.format(level="info"))


def test_postgres_is_set_up_as_in_the_embedded_stack():
    """But for where it listens, the server's settings are the same, and so is the database."""
    said = dict(
        word.removeprefix("--").split("=", 1) for word in SERVICES["postgres"]["command"][1:]
    )
    own = {"listen_addresses", "unix_socket_directories"}
    assert said == {n: v for n, v in postgres.SETTINGS.items() if n not in own}
    told = environment(SERVICES["postgres"])
    assert told["POSTGRES_DB"] == environment(SERVICES["connector"])["CDC_DATABASE_NAME"]


def test_images_of_others_are_the_tested_versions_and_can_be_pinned():
    """A variable may name each with its digest; without, it is the version that tests run."""
    images = bases.official()
    assert images["kafka"] == servers.KAFKA_IMAGE == f"apache/kafka:{downloads.KAFKA}"
    assert images["postgres"] == servers.POSTGRES_IMAGE
    assert images["postgres"].split(":")[1] == ".".join(downloads.POSTGRES.split(".")[:2])
    ours = dockerfiles.read(dockerfiles.SERVICES).arguments
    assert images["python"] == ours["PYTHON_IMAGE"]
    assert images["node"] == ours["NODE_IMAGE"]
    for name in SERVERS - {"connect"}:
        assert re.fullmatch(r"\$\{[A-Z]+_IMAGE:-[a-z/]+:v?\d[\w.-]+\}", RAW[name]["image"])


def test_prometheus_asks_services_where_they_answer():
    """Each target is a service's name and health port."""
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text()
    targets = re.findall(r'targets: \["([a-z-]+):(\d+)"\]', text)
    assert targets
    for service, port in targets:
        assert environment(SERVICES[service])["HEALTH_PORT"] == port


# --- guarded, limited, in order -------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_can_do_no_more_than_it_must(service: str):
    """Read-only, without capabilities, without a way to more; memory, processes and logs end."""
    has = SERVICES[service]
    assert has["read_only"] is True
    assert has["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in has["security_opt"]
    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode"} & set(has)
    assert mib(service) >= 128
    assert has["pids_limit"] <= 512
    assert {"max-size", "max-file"} <= set(has["logging"]["options"])
    assert all("size=" in mount for mount in has["tmpfs"])
    for volume in has.get("volumes", []):
        assert not volume.startswith(".") or volume.endswith(":ro"), volume


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_tells_whether_it_is_well(service: str):
    """A health check of its own or its image's; what runs once has its exit code instead."""
    has = SERVICES[service]
    if service in ONE_SHOTS:
        assert has["healthcheck"] == {"disable": True}
        assert has["restart"] == "no"
        return
    assert has["restart"] == "unless-stopped"
    if "healthcheck" in has:
        assert {"test", "interval", "timeout", "retries", "start_period"} <= set(has["healthcheck"])
    else:
        name = has["build"]["args"]["SERVICE"]
        assert dockerfiles.read(dockerfiles.SERVICES).health_command(name)


def test_nothing_starts_before_what_it_needs():
    """Kafka's clients start after the topics, Postgres' after the migration, each when it is done,
    and everybody after servers that are healthy.
    """
    for service in SETTINGS:
        before = dict(starts_before(service))
        told = environment(SERVICES[service])
        if "KAFKA_BOOTSTRAP_SERVERS" in told and service != "topics":
            assert before["topics"] == "service_completed_successfully"
        if any("@postgres:" in value for value in told.values()) and service != "migrate":
            assert before["migrate"] == "service_completed_successfully"
        for name, condition in before.items():
            done = "service_completed_successfully" if name in ONE_SHOTS else "service_healthy"
            assert condition == done, (service, name)
    assert dict(starts_before("relay"))["connector"]
    assert {"issuer", "doorway"} <= set(dict(starts_before("client-api")))


def starts_before(service: str) -> Iterator[tuple[str, str]]:
    """Yield all that must have come before a service; a circle would not end."""
    for name, how in SERVICES[service].get("depends_on", {}).items():
        yield name, how["condition"]
        yield from starts_before(name)


def test_what_runs_once_is_waited_for():
    """`up --wait` takes an end for a failure unless somebody waits for exactly that end."""
    awaited = {
        name
        for service in SERVICES.values()
        for name, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }
    assert awaited == ONE_SHOTS


def test_those_on_one_loopback_share_a_network_that_stays():
    """Issuer and sandbox answer on loopback alone: whoever asks them lives where they live."""
    assert {name for name, service in SERVICES.items() if shares_loopback(service)} == {
        "client-api",
        "issuer",
        "mailer",
        "sandbox",
    }
    aliases = SERVICES["doorway"]["networks"]["servers"]["aliases"]
    assert set(aliases) == {"client-api", "mailer"}
    ports = [
        value
        for name in ("client-api", "issuer", "mailer", "sandbox", "doorway")
        for variable, value in environment(SERVICES[name]).items()
        if variable.endswith("_PORT") and (name, variable) != ("doorway", "ISSUER_PORT")
    ]
    assert len(ports) == len(set(ports))


def test_servers_have_no_way_out():
    """Only the doorway's network and what people look at lead out of the machine's containers."""
    outside = {
        name
        for name, service in SERVICES.items()
        if not shares_loopback(service) and set(service["networks"]) != {"servers"}
    }
    assert outside == {"doorway", "prometheus", "grafana"}
    assert compose_file.raw()["networks"]["servers"] == {"internal": True}


@pytest.mark.parametrize(
    ("service", "figure"),
    [
        ("mailer", "memory_mb.mailer"),
        ("scorer", "memory_mb.scorer_1m_clients"),
        ("relay", "memory_mb.relay"),
        ("projector", "memory_mb.projector"),
        ("client-api", "memory_mb.client_api"),
    ],
)
def test_memory_limits_are_the_measured_budgets(service: str, figure: str):
    """What docs/benchmarks.md allows is the limit, and what it measured lies below."""
    table = (ROOT / "docs" / "benchmarks.md").read_text()
    row = re.search(rf"^\| `{re.escape(figure)}` \| ([\d,]+) \| < ([\d,]+) \|", table, re.MULTILINE)
    assert row
    measured, budget = (int(text.replace(",", "")) for text in row.groups())
    assert measured < mib(service) == budget


def test_containers_get_the_time_that_their_services_need_to_stop():
    """The engine waits longer than the services do before it kills."""
    grace = {name: int(service["stop_grace_period"][:-1]) for name, service in SERVICES.items()}
    for service, limit_s in STOPS.items():
        name = {"cdc-relay": "relay"}.get(service, service)
        assert grace[name] >= limit_s + 5, name
    assert min(grace["kafka"], grace["connect"]) > max(kafka.STOP_LIMIT_S, connect.STOP_LIMIT_S)
    assert grace["postgres"] > postgres.STOP_LIMIT_S


# --- secrets --------------------------------------------------------------------------------------


def variables() -> dict[str, tuple[str, str]]:
    """Return each variable of the file with how it is filled in, if not plainly, and the words."""
    text = compose_file.FILE.read_text()
    found: dict[str, tuple[str, str]] = {}
    for one in compose_file.VARIABLE.finditer(text):
        if one["name"] and (one["how"] or one["name"] not in found):
            found[one["name"]] = (one["how"] or "", one["word"] or "")
    return found


def test_a_missing_secret_stops_compose_and_says_what_to_do():
    """Every secret must be set: without it the message names the command that makes it."""
    made = compose_env.completed({}, {})
    found = variables()
    for name in compose_env.SECRETS:
        how, words = found[name]
        assert how == ":?"
        assert "make compose-env" in words
        with pytest.raises(KeyError, match="make compose-env"):
            compose_file.filled({n: v for n, v in made.items() if n != name})


def test_what_is_generated_is_all_that_must_be_set():
    """Nothing that has no default is left to the person who runs it."""
    made = {name for name, value in compose_env.completed({}, {}).items() if value}
    assert {name for name, (how, _) in variables().items() if how in {":?", ""}} <= made
    assert made - set(variables()) == {"COMPOSE_PROFILES"}


def test_the_generated_model_is_the_stack_s_sandbox():
    """The same model as in the embedded stack, on the port where it listens here."""
    chosen = dict(compose_env.SANDBOX)
    assert chosen.pop("COMPOSE_PROFILES") in RAW["sandbox"]["profiles"]
    assert chosen.pop("MODEL_SANDBOX") == "true"
    url, embedded = chosen.pop("OPENROUTER_BASE_URL"), Model.choose({}, Ports(usual=True))
    assert chosen == {n: v for n, v in embedded.environment.items() if n != "OPENROUTER_BASE_URL"}
    port = environment(SERVICES["sandbox"])["SANDBOX_PORT"]
    assert url == f"http://127.0.0.1:{port}/api/v1"


def test_the_issuer_is_trusted_under_the_stack_s_names():
    """Audience and clients are those that the tools for people know."""
    told = environment(SERVICES["issuer"])
    assert told["ISSUER_AUDIENCE"] == tokens.AUDIENCE
    assert told["ISSUER_CLIENT_ID"] == tokens.CLIENT_ID
    assert told["ISSUER_TOOLS_CLIENT_ID"] == tokens.TOOLS_CLIENT_ID


# --- as Compose itself reads it -------------------------------------------------------------------


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The services as `docker compose config` tells them; it asks no engine."""
    if shutil.which("docker") is None or _compose("version").returncode:
        pytest.skip(
            "no Docker Compose to ask: install docker and its compose plugin (docs.docker.com)"
        )
    settings = tmp_path_factory.mktemp("compose") / "compose.env"
    settings.write_text("".join(f"{n}={v}\n" for n, v in compose_env.completed({}, {}).items()))
    words = ("--env-file", str(settings), "--profile", "*", "config", "--format", "json")
    done = _compose("--file", str(compose_file.FILE), *words)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    services: dict[str, Any] = json.loads(done.stdout)["services"]
    return services


def _compose(*words: str) -> "subprocess.CompletedProcess[str]":
    named = set(re.findall(r"\$\{(\w+)", compose_file.FILE.read_text()))
    return subprocess.run(
        ["docker", "compose", *words],
        env={name: value for name, value in os.environ.items() if name not in named},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def test_compose_itself_takes_the_file_and_reads_it_as_these_tests_do(composed):
    """A field that it does not know is an error, and every variable has the value seen here."""
    assert set(composed) == set(SERVICES)
    secret = re.compile(r"PASSWORD|SECRET|KEY|SALT|DATABASE_(ADMIN_)?URL")
    for name, service in SERVICES.items():
        told = environment(composed[name])
        assert set(told) == set(environment(service)), name
        for variable, value in environment(service).items():
            # Made up anew each time.
            if not secret.search(variable):
                assert told[variable] == value, (name, variable)
        assert composed[name]["image"] == service["image"], name
