"""What each part is told: the least that it needs, and the same choice of the model for all."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from stack import environment
from stack.environment import Model, Secrets, Surroundings
from stack.errors import Missing
from stack.places import Ports


def surroundings(folder: Path, model: Model | None = None) -> Surroundings:
    """Describe a run in a folder."""
    ports = Ports(usual=False)
    return Surroundings(
        folder=folder,
        ports=ports,
        secrets=Secrets(
            *(f"password-{name}" for name in "api mailer cdc salt engage link tools".split())
        ),
        admin_password="password-admin",
        model=model or Model.choose({}, ports),
        partitions=4,
        clock_file=folder / "clock.json",
        dashboard=None,
    )


def test_without_a_key_the_sandbox_is_asked_and_everybody_is_told(tmp_path: Path):
    """The mailer asks the sandbox on loopback, and both it and the page know that it is one."""
    place = surroundings(tmp_path)
    assert place.model.sandbox
    assert place.for_mailer()["OPENROUTER_BASE_URL"].startswith("http://127.0.0.1:")
    assert place.for_mailer()["MODEL_SANDBOX"] == "true"
    assert place.for_client_api()["MODEL_SANDBOX"] == "true"


def test_with_a_key_the_real_model_is_asked(tmp_path: Path):
    """A key, a model and a provider choose the real one, at OpenRouter's own address."""
    ours = {
        "OPENROUTER_API_KEY": "key",
        "OPENROUTER_MODEL": "maker/model",
        "OPENROUTER_PROVIDER": "host",
    }
    place = surroundings(tmp_path, Model.choose(ours, Ports(usual=False)))
    told = place.for_mailer()
    assert not place.model.sandbox
    assert ours.items() <= told.items()
    assert "OPENROUTER_BASE_URL" not in told
    assert told["MODEL_SANDBOX"] == place.for_client_api()["MODEL_SANDBOX"] == "false"


def test_what_is_run_here_is_traced_whole_unless_somebody_says_how_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Whoever names a collector looks for a request, and finds it."""
    place = surroundings(tmp_path)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.delenv("OTEL_TRACES_SAMPLER", raising=False)
    told = place.for_client_api()
    assert told["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:4318"
    assert told["OTEL_TRACES_SAMPLER"] == "parentbased_always_on"
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    assert place.for_client_api()["OTEL_TRACES_SAMPLER"] == "always_off"


def test_a_key_alone_is_refused():
    """A key without model and provider stops the start with one line that names both."""
    with pytest.raises(Missing, match="OPENROUTER_MODEL and OPENROUTER_PROVIDER") as caught:
        Model.choose({"OPENROUTER_API_KEY": "key"}, Ports(usual=False))
    assert "\n" not in str(caught.value)


def test_nobody_but_the_mailer_sees_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Children get a chosen part of our environment, not our keys."""
    monkeypatch.setenv("OPENROUTER_API_KEY", "key")
    monkeypatch.setenv("OPENROUTER_MODEL", "maker/model")
    monkeypatch.setenv("OPENROUTER_PROVIDER", "host")
    place = surroundings(tmp_path, Model.choose(os.environ, Ports(usual=False)))
    others = (
        *(environment.base(), place.for_migration(), place.for_topics(), place.for_client_api()),
        *(place.for_projector(), place.for_relay(), place.for_connector(), place.for_scorer()),
        *(place.for_sandbox(), place.for_issuer()),
    )
    assert all("key" not in told.values() for told in others)
    assert place.for_mailer()["OPENROUTER_API_KEY"] == "key"


def test_each_service_has_its_own_role_and_port(tmp_path: Path):
    """No service gets another's password, and no two the same port."""
    place = surroundings(tmp_path)
    assert "password-mailer" in place.for_mailer()["DATABASE_URL"]
    assert "password-api" in place.for_client_api()["DATABASE_URL"]
    assert "password-api" in place.for_projector()["DATABASE_URL"]
    assert place.for_connect() == {"CDC_DATABASE_PASSWORD": "password-cdc"}
    assert "password-cdc" not in place.for_connector().values()
    assert "password-engage" in place.for_client_api()["ENGAGE_DATABASE_URL"]
    for told in (place.for_scorer(), place.for_sandbox(), place.for_topics()):
        assert not any("password-" in value for value in told.values())
    services = (place.for_projector, place.for_relay, place.for_scorer, place.for_mailer)
    assert len({told()["HEALTH_PORT"] for told in services}) == len(services)


def test_the_api_trusts_the_run_s_issuer_for_the_same_audience_and_client(tmp_path: Path):
    """What the issuer signs, the API accepts; the key lies in the folder, so it outlives a run."""
    place = surroundings(tmp_path)
    api, issuer = place.for_client_api(), place.for_issuer()
    assert api["AUTH_ISSUER"] == f"http://127.0.0.1:{issuer['ISSUER_PORT']}"
    assert api["AUTH_AUDIENCE"] == issuer["ISSUER_AUDIENCE"]
    assert api["AUTH_CLIENT_ID"] == issuer["ISSUER_CLIENT_ID"]
    assert Path(issuer["ISSUER_KEY_FILE"]).parent == tmp_path
    assert issuer["ISSUER_TOOLS_SECRET"] == "password-tools"
    assert "password-tools" not in api.values()


def test_secrets_are_made_once_and_kept_for_the_owner_alone(tmp_path: Path):
    """A run that goes on has its old secrets; two runs share none; nobody else may read them."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = Secrets.of(tmp_path / "a")
    assert Secrets.of(tmp_path / "a") == first
    assert Secrets.of(tmp_path / "b") != first
    assert (tmp_path / "a" / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_secrets_that_an_older_version_kept_are_completed(tmp_path: Path):
    """What is new is made up, what was there stays."""
    first = Secrets.of(tmp_path)
    file = tmp_path / "secrets.json"
    old = {name: value for name, value in asdict(first).items() if name != "engage"}
    file.write_text(json.dumps(old))
    second = Secrets.of(tmp_path)
    assert (second.cdc, second.holdout_salt) == (first.cdc, first.holdout_salt)
    assert second.engage
    assert Secrets.of(tmp_path) == second


def test_after_a_rebuild_the_scorer_starts_as_the_generation_we_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """GENERATION in our own environment reaches the scorer; it is the first one otherwise."""
    monkeypatch.delenv("GENERATION", raising=False)
    assert surroundings(tmp_path).for_scorer()["GENERATION"] == "1"
    monkeypatch.setenv("GENERATION", "2")
    assert surroundings(tmp_path).for_scorer()["GENERATION"] == "2"
