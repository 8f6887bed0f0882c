"""Each pod is told what its service asks for: nothing unknown, missing or refused."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pydantic_settings import BaseSettings

from cdc_relay.settings import ConnectorSettings, RelaySettings, TopicsSettings
from client_api.auth.rules import FAILURES_PER_MINUTE
from client_api.settings import MigrateSettings, ProjectorSettings
from client_api.web.settings import ApiSettings
from common.cluster import FILES, PROTOCOL
from issuer.settings import Settings as IssuerSettings
from mailer.delivery.settings import DeliverySettings
from mailer.settings import Settings as MailerSettings
from sandbox.settings import Settings as SandboxSettings
from scorer.settings import Settings as ScorerSettings
from stack import tokens
from stack.environment import DATABASE
from tests.unit.deploy import kustomized
from tests.unit.deploy.kustomized import OPERATED, OVERLAYS, ours

SETTINGS: dict[str, tuple[type[BaseSettings], ...]] = {
    "client-api": (ApiSettings,),
    "projector": (ProjectorSettings,),
    "migrate": (MigrateSettings,),
    "cdc-relay": (RelaySettings,),
    "topics": (TopicsSettings,),
    "capture": (ConnectorSettings,),
    "scorer": (ScorerSettings,),
    "mailer": (MailerSettings, DeliverySettings),
    "issuer": (IssuerSettings,),
    "model": (SandboxSettings,),
}
SHARED = (
    "KAFKA_BOOTSTRAP_SERVERS",
    "TOPIC_PARTITIONS",
    "SHOP_TIME_ZONE",
    "SHOP_CURRENCY",
    "CLOCK_FILE",
)
"""What two services must not be told differently."""
DRIVERS = {"PGSSLMODE", "PGSSLROOTCERT"}
"""What asyncpg itself reads."""
PASSWORDS = {"CLIENT_API_PASSWORD", "MAILER_PASSWORD", "CDC_PASSWORD", "ENGAGE_PASSWORD"}
"""What a migration gives the roles, unless an operator makes them."""
EXAMPLES = {
    "SCORER_INSTANCE_ID": "scorer-0",
    "OPENROUTER_API_KEY": "key",
    "LINK_KEY": "x" * 32,
}
"""Values that come from elsewhere, where their form matters."""

EACH = [
    (overlay, one.name, container["name"])
    for overlay in OVERLAYS
    for one in ours(overlay)
    for container in one.containers
]


def container_of(overlay: str, workload: str, name: str) -> kustomized.Document:
    """Return one container."""
    (found,) = [
        container
        for one in ours(overlay)
        if one.name == workload
        for container in one.containers
        if container["name"] == name
    ]
    return found


def known(name: str) -> set[str]:
    """Return the variables that a service reads."""
    return {
        f"{cls.model_config.get('env_prefix', '')}{field}".upper()
        for cls in SETTINGS[name]
        for field in cls.model_fields
    }


def told(overlay: str, workload: str, name: str) -> dict[str, str]:
    """Return a container's variables, ``$(NAME)`` filled in, with examples for what is secret."""
    raw = kustomized.literal(overlay, container_of(overlay, workload, name)) | {
        one: value
        for one, value in EXAMPLES.items()
        if one in kustomized.literal(overlay, container_of(overlay, workload, name))
    }
    return {one: _filled(value, raw) for one, value in raw.items()}


def _filled(value: str, raw: dict[str, str]) -> str:
    for name, other in raw.items():
        value = value.replace(f"$({name})", other.strip("<>"))
    return value


@contextmanager
def _only(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> Iterator[None]:
    with monkeypatch.context() as patch:
        for name in {one for names in map(known, SETTINGS) for one in names}:
            patch.delenv(name, raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


@pytest.mark.parametrize(("overlay", "workload", "name"), EACH)
def test_no_variable_is_unknown_to_the_service(overlay, workload, name):
    """A misspelt one would be ignored in silence. What only fills in others is theirs."""
    container = container_of(overlay, workload, name)
    raw = kustomized.literal(overlay, container)
    parts = {one for one in raw if any(f"$({one})" in value for value in raw.values())}

    assert set(raw) - parts <= known(name) | DRIVERS


@pytest.mark.parametrize(("overlay", "workload", "name"), EACH)
def test_the_service_would_start_with_what_it_is_told(overlay, workload, name, monkeypatch):
    """Its own settings find nothing missing and refuse no value."""
    with _only(monkeypatch, told(overlay, workload, name)):
        for cls in SETTINGS[name]:
            cls()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_sending_is_switched_on_without_a_password_in_git(overlay, monkeypatch):
    """The login is a secret that may be missing; the rest stands beside the model's settings."""
    container = container_of(overlay, "mailer", "mailer")
    login = {
        one["name"]: one["valueFrom"]["secretKeyRef"]
        for one in container["env"]
        if one["name"].startswith("SMTP_")
    }
    assert set(login) == {"SMTP_USER", "SMTP_PASSWORD"}
    for name, ref in login.items():
        assert (ref["key"], ref["optional"]) == (name, True)
    site = {
        "DELIVERY": "smtp",
        "SMTP_HOST": "relay.example.com",
        "MAIL_FROM": "Shop <news@shop.example>",
        "LINK_KEY": "x" * 32,
    }
    with _only(monkeypatch, told(overlay, "mailer", "mailer") | site):
        assert DeliverySettings().smtp_password is not None
    absent = {"SMTP_USER": "", "SMTP_PASSWORD": ""}
    with _only(monkeypatch, told(overlay, "mailer", "mailer") | site | absent):
        assert DeliverySettings().smtp_user is None


def test_the_store_has_the_login_of_the_mail_server():
    """External Secrets takes it from where the model's key lies."""
    secret = kustomized.named("overlays/prod", "ExternalSecret", "mailer")

    keys = {one["secretKey"] for one in secret["spec"]["data"]}
    assert keys == {"OPENROUTER_API_KEY", "HOLDOUT_SALT", "SMTP_USER", "SMTP_PASSWORD"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_migration_gives_passwords_where_no_operator_makes_the_roles(overlay):
    """Two that set them would undo each other's; without either nobody gets in."""
    given = PASSWORDS & set(told(overlay, "migrate", "migrate"))

    assert given == (set() if overlay in OPERATED else PASSWORDS)


@pytest.mark.parametrize("overlay", OPERATED)
def test_where_operators_run_kafka_everybody_shows_a_certificate(overlay):
    """No service speaks to Kafka in the clear."""
    for workload in ours(overlay):
        variables = kustomized.literal(overlay, workload.main)
        if "KAFKA_BOOTSTRAP_SERVERS" in variables:
            assert variables[PROTOCOL] == "SSL", workload.name
            assert set(FILES) <= set(variables), workload.name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_all_services_are_told_the_same_of_what_they_share(overlay):
    """One broker, one number of partitions, one time zone, one currency, one clock."""
    shared: dict[str, set[str]] = {}
    for workload in ours(overlay):
        variables = kustomized.literal(overlay, workload.main)
        for name in SHARED:
            if name in variables:
                shared.setdefault(name, set()).add(variables[name])

    assert all(len(values) == 1 for values in shared.values()), shared
    assert "KAFKA_BOOTSTRAP_SERVERS" in shared


@pytest.mark.parametrize("overlay", OPERATED)
def test_whoever_speaks_to_kafka_or_postgres_has_the_files_that_it_is_told_of(overlay):
    """Each path is below a mounted volume that holds a file of that name."""
    for workload in ours(overlay):
        variables = kustomized.literal(overlay, workload.main)
        files = set(mounted(workload))
        paths = [variables[name] for name in (*FILES, "PGSSLROOTCERT") if name in variables]
        assert paths, workload.name
        assert set(paths) <= files, workload.name


def mounted(workload: kustomized.Workload) -> Iterator[str]:
    """Yield the path of every file of a secret that a pod sees."""
    volumes = {one["name"]: one for one in workload.pod["volumes"]}
    for mount in workload.main["volumeMounts"]:
        volume = volumes.get(mount["name"], {})
        parts = [volume.get("secret", {}), *(part["secret"] for part in _sources(volume))]
        for item in (item for part in parts for item in part.get("items", [])):
            yield f"{mount['mountPath']}/{item['path']}"


def _sources(volume: kustomized.Document) -> list[kustomized.Document]:
    found: list[kustomized.Document] = volume.get("projected", {}).get("sources", [])
    return found


@pytest.mark.parametrize("overlay", OPERATED)
def test_each_service_shows_a_certificate_of_its_own(overlay):
    """The user of Kafka has the service's name, and is there."""
    users = {one["metadata"]["name"] for one in kustomized.of_kind(overlay, "KafkaUser")}

    for workload in ours(overlay):
        shown = {
            part["secret"]["name"]
            for volume in workload.pod["volumes"]
            for part in _sources(volume)
        } - {"engage-cluster-ca-cert"}
        if "KAFKA_BOOTSTRAP_SERVERS" in kustomized.literal(overlay, workload.main):
            assert shown == {f"kafka-{workload.name}"}
            assert shown <= users


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_secret_that_is_asked_for_is_made_by_somebody(overlay):
    """By the overlay itself, by External Secrets, or by an operator; never by two of them."""
    made = [
        *(one["metadata"]["name"] for one in kustomized.of_kind(overlay, "Secret", "KafkaUser")),
        *(one["spec"]["target"]["name"] for one in kustomized.of_kind(overlay, "ExternalSecret")),
        *(f"{one['metadata']['name']}-cluster-ca-cert" for one in _kafka(overlay)),
        *(
            f"{one['metadata']['name']}-{what}"
            for one in kustomized.of_kind(overlay, "Cluster")
            for what in ("app", "ca")
        ),
    ]
    documents = list(kustomized.documents(overlay))
    asked = {
        *(one["name"] for one in kustomized.values(documents, "secretKeyRef")),
        *(one["name"] for one in kustomized.values(documents, "passwordSecret")),
        *kustomized.values(documents, "secretName"),
        *(one["name"] for all_ in kustomized.values(documents, "secretTargetRef") for one in all_),
        *(
            source["secret"]["name"]
            for all_ in kustomized.values(documents, "sources")
            for source in all_
        ),
    }

    assert sorted(set(made)) == sorted(made)
    assert asked <= set(made)


def _kafka(overlay: str) -> list[kustomized.Document]:
    return kustomized.of_kind(overlay, "Kafka")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_database_and_roles_are_the_migrations_own(overlay):
    """Users and database in the addresses are those that the migrations name."""
    addresses = {
        (workload.name, name): _filled(value, kustomized.literal(overlay, workload.main))
        for workload in ours(overlay)
        for name, value in kustomized.literal(overlay, workload.main).items()
        if name.endswith("DATABASE_URL")
    }

    users = {key: address.split("//")[1].split(":")[0] for key, address in addresses.items()}
    assert users == {
        ("client-api", "DATABASE_URL"): "client_api",
        ("client-api", "ENGAGE_DATABASE_URL"): "engage",
        ("projector", "DATABASE_URL"): "client_api",
        ("mailer", "DATABASE_URL"): "mailer",
    }
    assert {address.rpartition("/")[2] for address in addresses.values()} == {DATABASE}


@pytest.mark.parametrize("overlay", ["overlays/dev", "overlays/test"])
def test_the_development_issuer_is_the_one_that_client_api_asks(overlay):
    """Names and ports agree between the pod's two containers, and with the tools' own names."""
    api, issuer = (told(overlay, "client-api", name) for name in ("client-api", "issuer"))

    assert api["AUTH_ISSUER"] == f"http://127.0.0.1:{issuer['ISSUER_PORT']}"
    assert api["AUTH_AUDIENCE"] == issuer["ISSUER_AUDIENCE"] == tokens.AUDIENCE
    assert api["AUTH_CLIENT_ID"] == issuer["ISSUER_CLIENT_ID"] == tokens.CLIENT_ID
    assert issuer["ISSUER_TOOLS_CLIENT_ID"] == tokens.TOOLS_CLIENT_ID


@pytest.mark.parametrize("overlay", ["overlays/dev", "overlays/test"])
def test_the_sandbox_is_the_model_that_the_mailer_asks(overlay):
    """And both the mailer and the page say so."""
    mailer, model = (told(overlay, "mailer", name) for name in ("mailer", "model"))
    api = told(overlay, "client-api", "client-api")

    assert mailer["OPENROUTER_BASE_URL"] == f"http://127.0.0.1:{model['SANDBOX_PORT']}/api/v1"
    assert mailer["MODEL_SANDBOX"] == api["MODEL_SANDBOX"] == "true"


def test_production_has_neither_sandbox_nor_development_issuer():
    """No container of theirs, no address of loopback."""
    for workload in ours("overlays/prod"):
        assert [one["name"] for one in workload.containers] == [workload.name]
        variables = kustomized.literal("overlays/prod", workload.main)
        assert not [name for name, value in variables.items() if "127.0.0.1" in value]


def test_links_in_emails_lead_to_the_host_of_the_gateway():
    """One host: that of the route."""
    (route,) = kustomized.of_kind("overlays/prod", "HTTPRoute")
    (host,) = route["spec"]["hostnames"]

    assert told("overlays/prod", "mailer", "mailer")["UNSUBSCRIBE_BASE_URL"] == f"https://{host}"


@pytest.mark.parametrize("kustomization", ["overlays/prod", "tests/gateway"])
def test_behind_a_gateway_the_limit_of_an_address_is_one_for_all_callers(kustomization):
    """They all have its address: with the limit of one, a stranger could keep everybody out."""
    (api,) = [one for one in ours(kustomization) if one.name == "client-api"]
    told = kustomized.literal(kustomization, api.main)

    assert int(told["RATE_LIMIT_FAILURES_PER_MINUTE"]) >= 10 * FAILURES_PER_MINUTE
