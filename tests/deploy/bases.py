"""The images that ours are made from, where no registry is: stand-ins under the official names.

They have of the official images what our files use, and nothing else. The first is a Debian with
Python; the others are Debian packages on top of it, and Kafka's jars from Maven. Grafana has none:
no Debian package is there to make it from.
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from stack import downloads
from stack.places import ROOT
from tests.deploy.engine import Engine

RECIPES = Path(__file__).parent / "stand_ins"
COMPOSE_FILE = ROOT / "deploy" / "docker-compose.yml"
LIMIT_S = 1800.0


def official() -> dict[str, str]:
    """Return the name of each base image that Compose's file uses: ``{"python": "python:…"}``."""
    found = re.findall(r"\$\{([A-Z]+)_IMAGE:-([^}]+)\}", COMPOSE_FILE.read_text())
    return {variable.lower(): image for variable, image in found}


def provide(engine: Engine) -> None:
    """Make the stand-ins that are missing; an engine that can pull needs none."""
    if engine.tools is None:
        return
    images = official()
    debian = images["python"]
    if not engine.has(debian):
        subprocess.run(
            [engine.tools / "base-image.sh", debian],
            env=engine.environment,
            timeout=LIMIT_S,
            check=True,
        )
    for name in ("node", "postgres", "kafka", "prometheus"):
        if not engine.has(images[name]):
            _build(engine, name, images[name], debian)


def _build(engine: Engine, name: str, image: str, debian: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / name
        shutil.copytree(RECIPES / name, folder)
        if name == "kafka":
            shutil.copytree(downloads.kafka_jars(), folder / "libs")
        words = ("build", "--tag", image, "--build-arg", f"DEBIAN={debian}", str(folder))
        engine.docker(*words, limit_s=LIMIT_S)
