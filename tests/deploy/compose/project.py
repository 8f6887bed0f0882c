"""One run of deploy/docker-compose.yml in a clone, apart from any other on the same engine."""

import json
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from common.clock import Anchor, write_anchor
from stack import compose_env
from stack.places import HOST, free_port
from tests.deploy import checkout
from tests.deploy.bases import official
from tests.deploy.compose import monitoring
from tests.deploy.engine import ASK_LIMIT_S, Engine

NAME = "engagement-test"
COMPOSE_FILE = "deploy/docker-compose.yml"
CLOCK_FILE = Path(__file__).parent / "clock.yml"
BUILD_LIMIT_S = 3600.0
UP_LIMIT_S = 900.0
DOWN_LIMIT_S = 180.0
SCRIPT_LIMIT_S = 1200.0
REBUILD_LIMIT_S = 600.0


@dataclass(frozen=True)
class Usage:
    """What one container took."""

    service: str
    bytes: int
    limit_bytes: int


@dataclass(frozen=True)
class Built:
    """Images that are there already."""

    prefix: str
    version: str


class Project:
    """Images, containers and volumes under a name of their own; nothing of it outlives ``down``."""

    def __init__(self, engine: Engine, folder: Path, built: Built | None = None) -> None:
        """Write all that it needs into a folder that everybody may read; without ``built`` its
        images are its own.
        """
        folder.chmod(0o755)
        self._engine = engine
        self._clone = checkout.clone(folder / "engagement")
        self._env_file = self._clone / "deploy" / ".env"
        self._clock = folder / "clock" / "clock.json"
        self.state_file = folder / "state.json"
        self._built = built or Built(NAME, "dev")
        self._prepare()

    def _prepare(self) -> None:
        compose_env.write(self._env_file, {})
        names = ("CLIENT_API", "ISSUER", "PROMETHEUS", "GRAFANA")
        ports = self._ports = {f"{name}_PORT": free_port() for name in names}
        self._clock.parent.mkdir(mode=0o755)
        now = datetime.now(UTC)
        write_anchor(self._clock, Anchor(now, now, 1.0))
        images = {"IMAGES": self._built.prefix, "VERSION": self._built.version}
        more = {**ports, **images, "CLOCK_FOLDER": self._clock.parent}
        with self._env_file.open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in more.items())
        state = {
            "api_url": f"http://{HOST}:{ports['CLIENT_API_PORT']}",
            "issuer_url": f"http://{HOST}:{ports['ISSUER_PORT']}",
            "clock_file": str(self._clock),
        }
        self.state_file.write_text(json.dumps(state))

    def compose(self, *words: str, limit_s: float, capture: bool = False) -> str:
        """Run ``docker compose words…``; return its output when it is captured."""
        files = (f"--file={self._clone / COMPOSE_FILE}", f"--file={CLOCK_FILE}")
        named = ("compose", f"--project-name={NAME}", *files, *words)
        return self._engine.docker(*named, limit_s=limit_s, capture=capture).stdout or ""

    def script(self, commands: str) -> str:
        """Run commands of a guide in the clone, and return what they wrote to stdout.

        Two things differ from what stands there: the project's name, which is a part of its
        volumes' names, and the file that lets the tests set the clock.
        """
        ours = commands.replace(f"-f {COMPOSE_FILE}", f"-f {COMPOSE_FILE} -f {CLOCK_FILE}")
        ours = ours.replace("engagement_", f"{NAME}_")
        environment = checkout.environment(self._engine.environment)
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", ours],
            cwd=self._clone,
            env={**environment, "COMPOSE_PROJECT_NAME": NAME},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            timeout=SCRIPT_LIMIT_S,
            check=True,
        ).stdout

    def check(self) -> None:
        """Let Compose read its file, with and without the profiles."""
        self.compose("config", "--quiet", limit_s=ASK_LIMIT_S)
        self.compose("--profile", "*", "config", "--quiet", limit_s=ASK_LIMIT_S)

    def build(self) -> None:
        """Build all images of ours."""
        self.compose("build", limit_s=BUILD_LIMIT_S)

    def up(self) -> None:
        """Start everything, and wait until all are healthy."""
        self.compose("up", "--no-build", "--pull=missing", "--wait", limit_s=UP_LIMIT_S)

    def recreate(self, service: str) -> None:
        """Replace a service's container by a new one, and wait until that is healthy."""
        words = ("up", "--no-build", "--no-deps", "--force-recreate", "--wait", service)
        self.compose(*words, limit_s=UP_LIMIT_S)

    def rebuild(self) -> None:
        """Build the scorer's table anew, as the guide of operations says, and make it last."""
        name, new = f"{NAME}-scorer-next", "GENERATION=2"
        own = ("SCORER_INSTANCE_ID=scorer-next", "SCORER_DATA_DIR=/data/next", new)
        given = (word for line in own for word in ("--env", line))
        run = ("run", "--detach", "--no-deps", "--name", name, *given, "scorer")
        self.compose(*run, limit_s=UP_LIMIT_S)
        try:
            rebuild = ("exec", "-T", "client-api", "python", "-m", "engage", "rebuild")
            self.compose(*rebuild, "--no-workers", "--yes", limit_s=REBUILD_LIMIT_S)
        finally:
            self._engine.docker("rm", "--force", name, limit_s=ASK_LIMIT_S)
        with self._env_file.open("a") as file:
            file.write(f"{new}\n")
        self.up()

    def watch(self) -> None:
        """Start the monitoring profile and look through it; Grafana only where its image is."""
        grafana = self._engine.tools is None or self._engine.has(official()["grafana"])
        services = ["prometheus", *(["grafana"] if grafana else [])]
        words = ("--profile", "monitoring", "up", "--no-build", "--no-recreate", "--wait")
        self.compose(*words, *services, limit_s=UP_LIMIT_S)
        monitoring.check_prometheus(self._ports["PROMETHEUS_PORT"])
        if grafana:
            password = compose_env.read(self._env_file.read_text())["GRAFANA_PASSWORD"]
            monitoring.check_grafana(self._ports["GRAFANA_PORT"], password)
        else:
            print("Grafana is not looked at: there is no stand-in for its image", flush=True)

    def down(self) -> None:
        """Remove containers, networks and volumes."""
        words = ("--profile", "*", "down", "--volumes", "--remove-orphans")
        self.compose(*words, limit_s=DOWN_LIMIT_S)

    def show_trouble(self) -> None:
        """Show what there is to see when something went wrong."""
        self.compose("ps", "--all", limit_s=ASK_LIMIT_S)
        self.compose("logs", "--no-color", "--tail=60", limit_s=ASK_LIMIT_S)

    def running(self) -> dict[str, str]:
        """Return since when each running container runs, by the name of its service."""
        listed = self._listed()
        words = ("inspect", "--format={{.State.StartedAt}}", *listed)
        since = self._engine.docker(*words, limit_s=ASK_LIMIT_S, capture=True).stdout.split()
        return dict(zip(listed.values(), since, strict=True))

    def _listed(self) -> dict[str, str]:
        """Return the service of each running container, by the container's name."""
        listed = self.compose("ps", "--format=json", limit_s=ASK_LIMIT_S, capture=True)
        return {row["Name"]: row["Service"] for row in map(json.loads, listed.splitlines())}

    def images(self) -> list[str]:
        """Return the names of the images that are built, each once."""
        words = ("--profile", "*", "config", "--format=json")
        config = json.loads(self.compose(*words, limit_s=ASK_LIMIT_S, capture=True))
        built = [service for service in config["services"].values() if "build" in service]
        return sorted({service["image"] for service in built})

    def running_images(self) -> list[str]:
        """Return the images of ours that running containers are of."""
        listed = self._listed()
        words = ("inspect", "--format={{.Config.Image}}", *listed)
        found = self._engine.docker(*words, limit_s=ASK_LIMIT_S, capture=True).stdout.split()
        return [image for image in found if image.startswith(f"{self._built.prefix}/")]

    def usage(self) -> list[Usage]:
        """Return what each running container takes now, without the files that are cached."""
        services = self._listed()
        words = ("stats", "--no-stream", "--format={{json .}}", *services)
        shown = self._engine.docker(*words, limit_s=ASK_LIMIT_S, capture=True).stdout
        rows = map(json.loads, shown.splitlines())
        return [
            Usage(services[row["Name"]], *map(_bytes, row["MemUsage"].split(" / "))) for row in rows
        ]


UNITS = {"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "kiB": 1 << 10, "B": 1}


def _bytes(text: str) -> int:
    """Return a size as Docker writes it: 12.5MiB."""
    unit = next(unit for unit in UNITS if text.endswith(unit))
    return int(float(text.removesuffix(unit)) * UNITS[unit])
