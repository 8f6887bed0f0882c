"""A Docker engine with Compose: this machine's own, or a private one for the time of a test.

Whoever has Docker needs nothing more; where no registry can be reached, base images that were
brought by ``docker load`` are used as they are.

For a machine with neither, ``PLATFORM_TOOLS`` names a folder of programs of its own:

docker-up.sh FOLDER         starts an engine with all its data in FOLDER, which answers at
                            FOLDER/docker.sock, and whose number stands in FOLDER/docker.pid
build-compose.sh FOLDER     puts Compose there, as the plugin docker-compose
base-image.sh NAME          makes a Debian with Python, called NAME

With it the base images are stand-ins made of Debian packages (tests/deploy/bases.py), and the
engine is private: they have the names of official images, so they go to another engine only if
``DOCKER_HOST`` names it.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stack.places import CACHE

FOLDER = CACHE / "compose-test"
"""What is slow to make is kept there: the private engine's images, and Compose."""
UP_LIMIT_S = 120.0
DOWN_LIMIT_S = 60.0
COMPOSE_LIMIT_S = 3600.0
ASK_LIMIT_S = 60.0


class Missing(Exception):
    """The machine lacks something; the message says what, and how to get it."""


@dataclass(frozen=True)
class Engine:
    """An engine that answers."""

    environment: dict[str, str]
    """For ``docker`` and everything that talks to the engine."""
    tools: Path | None
    """The folder of ``PLATFORM_TOOLS``; None where images are pulled."""

    def docker(
        self, *words: str, limit_s: float, capture: bool = False, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run ``docker words…``; its output is shown unless it is captured."""
        return subprocess.run(
            ["docker", *words],
            env=self.environment,
            timeout=limit_s,
            check=check,
            text=True,
            stdout=subprocess.PIPE if capture else None,
        )

    def has(self, image: str) -> bool:
        """Tell whether an image is there."""
        listed = self.docker("images", "--quiet", image, limit_s=ASK_LIMIT_S, capture=True)
        return bool(listed.stdout.strip())


@contextmanager
def engine() -> Iterator[Engine]:
    """Find an engine, or run one until the block ends. Raises Missing."""
    if shutil.which("docker") is None:
        raise Missing("docker is not on the PATH: install Docker with the compose plugin")
    named = os.environ.get("PLATFORM_TOOLS")
    tools = Path(named).resolve() if named else None
    if tools is None:
        yield _answering(Engine(_ours(), None))
    elif "DOCKER_HOST" in os.environ:
        yield _answering(Engine(_ours() | _without_registry(tools), tools))
    else:
        with _private(tools) as found:
            yield found


def _ours() -> dict[str, str]:
    """Return our environment without what would win against the files of a test."""
    mine = ("OPENROUTER_", "COMPOSE_", "IMAGES", "VERSION")
    return {name: value for name, value in os.environ.items() if not name.startswith(mine)}


def _without_registry(tools: Path) -> dict[str, str]:
    """Return what the environment lacks where nothing can be pulled."""
    return {
        "DOCKER_CONFIG": str(_configured(tools)),
        # It would be pulled; what the tests start, they stop.
        "TESTCONTAINERS_RYUK_DISABLED": "true",
    }


def _answering(candidate: Engine) -> Engine:
    if not _answers(candidate, "version") or not _answers(candidate, "compose", "version"):
        raise Missing("no Docker engine answers, or it has no compose plugin: see docs.docker.com")
    return candidate


def _answers(candidate: Engine, *words: str) -> bool:
    done = candidate.docker(*words, limit_s=ASK_LIMIT_S, capture=True, check=False)
    return done.returncode == 0


@contextmanager
def _private(tools: Path) -> Iterator[Engine]:
    if shutil.which("dockerd") is None:
        raise Missing("dockerd is not here: apt-get install docker.io iptables debootstrap")
    home = FOLDER / "engine"
    home.mkdir(parents=True, exist_ok=True)
    environment = _ours() | _without_registry(tools)
    environment["DOCKER_HOST"] = f"unix://{home / 'docker.sock'}"
    _run([str(tools / "docker-up.sh"), str(home)], UP_LIMIT_S)
    try:
        yield Engine(environment, tools)
    finally:
        _stop(home / "docker.pid")


def _configured(tools: Path) -> Path:
    """Return Docker's configuration folder, with Compose as its plugin."""
    folder = FOLDER / "config"
    plugin = folder / "cli-plugins" / "docker-compose"
    if not plugin.is_file():
        _run([str(tools / "build-compose.sh"), str(plugin.parent)], COMPOSE_LIMIT_S)
    return folder


def _run(words: Sequence[str], limit_s: float) -> None:
    subprocess.run(words, timeout=limit_s, check=True)


def _stop(pid_file: Path) -> None:
    """End the engine by its number, and wait until it has gone."""
    pid = int(pid_file.read_text())
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_LIMIT_S
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the private Docker engine, process {pid}, does not end")
        time.sleep(0.2)
