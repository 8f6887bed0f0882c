"""Starting wrongly: one clear line and an exit code other than zero, never a secret."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from client_api.commands.serve import where
from client_api.web.settings import ApiSettings
from common.cluster import Cluster
from tests.certificates import Authority

GOOD = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
    "DATABASE_URL": "postgresql://client_api:canary@127.0.0.1:9/engage",
    "AUTH_ISSUER": "https://login.example.com",
    "AUTH_AUDIENCE": "api",
    "AUTH_CLIENT_ID": "dashboard",
}
NO_FILES = {
    "KAFKA_SECURITY_PROTOCOL": "SSL",
    "KAFKA_SSL_CA_LOCATION": "/nowhere/ca.crt",
    "KAFKA_SSL_CERTIFICATE_LOCATION": "/nowhere/user.crt",
    "KAFKA_SSL_KEY_LOCATION": "/nowhere/user.key",
}
OWNER = {"DATABASE_ADMIN_URL": "postgresql://owner:canary@127.0.0.1:9/engage"}
MIGRATE = {
    **OWNER,
    "CLIENT_API_PASSWORD": "canary1",
    "MAILER_PASSWORD": "canary2",
    "CDC_PASSWORD": "canary3",
    "ENGAGE_PASSWORD": "canary4",
}


def _run(arguments: list[str], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "client_api", *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "environment", "named"),
    [
        ("serve", {**GOOD, "DATABASE_URL": ""}, "DATABASE_URL"),
        ("serve", {**GOOD, "KAFKA_BOOTSTRAP_SERVERS": ""}, "KAFKA_BOOTSTRAP_SERVERS"),
        ("serve", {**GOOD, "DATABASE_URL": "mysql://u:canary@h/d"}, "DATABASE_URL"),
        ("serve", {**GOOD, "DATABASE_URL": "canary"}, "DATABASE_URL"),
        ("serve", {**GOOD, "HTTP_PORT": "70000"}, "HTTP_PORT"),
        ("serve", {**GOOD, "HTTP_PORT": "8000", "HEALTH_PORT": "8000"}, "HEALTH_PORT"),
        ("serve", {**GOOD, "OTEL_TRACES_SAMPLER": "some"}, "OTEL_TRACES_SAMPLER"),
        ("serve", {**GOOD, "SHOP_TIME_ZONE": "Mars/Olympus"}, "SHOP_TIME_ZONE"),
        ("serve", {**GOOD, "MODEL_SANDBOX": "perhaps"}, "MODEL_SANDBOX"),
        ("serve", {**GOOD, "AUTH_ISSUER": ""}, "AUTH_ISSUER"),
        ("serve", {**GOOD, "AUTH_AUDIENCE": ""}, "AUTH_AUDIENCE"),
        ("serve", {**GOOD, "AUTH_CLIENT_ID": ""}, "AUTH_CLIENT_ID"),
        ("serve", {**GOOD, "AUTH_CLIENT_ID": "api"}, "AUTH_AUDIENCE"),
        ("serve", {**GOOD, "AUTH_ISSUER": "http://login.example.com"}, "AUTH_ISSUER"),
        ("serve", {**GOOD, "AUTH_ISSUER": "http://127.0.0.1.example.com"}, "AUTH_ISSUER"),
        ("serve", {**GOOD, "AUTH_ISSUER": "http://127.0.0.1@example.com"}, "AUTH_ISSUER"),
        ("serve", {**GOOD, "AUTH_ISSUER": "login"}, "AUTH_ISSUER"),
        ("serve", {**GOOD, "AUTH_JWKS_URL": "http://keys.example.com/"}, "AUTH_JWKS_URL"),
        ("serve", {**GOOD, "RATE_LIMIT_PER_MINUTE": "0"}, "RATE_LIMIT_PER_MINUTE"),
        ("serve", {**GOOD, "KAFKA_SECURITY_PROTOCOL": "SSL"}, "KAFKA_SSL_KEY_LOCATION"),
        ("serve", {**GOOD, **NO_FILES}, "KAFKA_SSL_CA_LOCATION /nowhere/ca.crt cannot be read"),
        ("project", {}, "DATABASE_URL"),
        ("migrate", {**MIGRATE, "CDC_PASSWORD": ""}, "CDC_PASSWORD missing: all"),
        ("migrate", {**OWNER, "CDC_PASSWORD": "c"}, "CLIENT_API_PASSWORD, MAILER_PASSWORD, ENGAGE"),
        ("migrate", {**MIGRATE, "MAILER_PASSWORD": "cänary"}, "MAILER_PASSWORD"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(
    command: str, environment: dict[str, str], named: str
) -> None:
    """What is missing or wrong stands by name on one line; the code is not zero."""
    done = _run([command], environment)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert named in done.stderr
    assert "nary" not in done.stderr


@pytest.mark.parametrize("arguments", [[], ["sing"], ["serve", "now"]])
def test_an_unknown_command_says_how_to_use_it(arguments: list[str]) -> None:
    """Usage on one line."""
    done = _run(arguments, GOOD)
    assert done.returncode == 2
    assert done.stderr == "usage: python -m client_api {serve|project|migrate|openapi}\n"


def test_operators_tasks_speak_to_kafka_as_the_server_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificates that the server shows are those that a replay shows."""
    cluster = Cluster("broker:9093", Authority(tmp_path).sign("client-api"))
    for name, value in (GOOD | cluster.environment).items():
        monkeypatch.setenv(name, value)
    assert where(ApiSettings()).kafka == cluster
