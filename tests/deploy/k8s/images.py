"""The images of overlays/test: ours, those of the servers, and the one that the tests bring."""

import re
import shutil
import tempfile
from pathlib import Path

from stack import compose_env
from stack.places import ROOT
from tests.deploy import bases
from tests.deploy.engine import Engine

OURS = ("client-api", "cdc-relay", "scorer", "mailer", "connect", "issuer", "sandbox")
RECIPE = Path(__file__).parent / "image"
BROUGHT = "engagement/k8s-test:test"
CODE = (
    *("tests/__init__.py", "tests/chaos/__init__.py", "tests/chaos/emails"),
    *("tests/deploy/__init__.py", "tests/deploy/k8s/__init__.py", "tests/deploy/k8s/image"),
)
NEEDED = ("aiosmtpd", "atpublic", "attrs")
BUILD_LIMIT_S = 5400.0
PULL_LIMIT_S = 1800.0


def servers(engine: Engine) -> list[str]:
    """Have the images of Kafka and Postgres, which no build brings; return their names."""
    bases.provide(engine)
    official = bases.official()
    found = [official["kafka"], official["postgres"]]
    for image in found:
        if not engine.has(image):
            engine.docker("pull", "--quiet", image, limit_s=PULL_LIMIT_S)
    return found


def build(engine: Engine) -> list[str]:
    """Build our images, and the one that the tests bring; return their names."""
    with tempfile.TemporaryDirectory(prefix="k8s-images-") as scratch:
        settings = Path(scratch) / "compose.env"
        compose_env.write(settings, {})
        with settings.open("a") as file:
            file.write("IMAGES=engagement\nVERSION=test\n")
        compose = ("compose", f"--file={bases.COMPOSE_FILE}", f"--env-file={settings}")
        engine.docker(*compose, "--profile", "*", "build", limit_s=BUILD_LIMIT_S)
        folder = _context(Path(scratch))
        argument = ("--build-arg", f"PYTHON_IMAGE={bases.official()['python']}")
        engine.docker(*("build", "--tag", BROUGHT, *argument, str(folder)), limit_s=BUILD_LIMIT_S)
    return [*(f"engagement/{name}:test" for name in OURS), BROUGHT]


def _context(scratch: Path) -> Path:
    """Return a folder with what goes into the image that the tests bring."""
    folder = scratch / "context"
    for name in CODE:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    shutil.copy(RECIPE / "Dockerfile", folder)
    locked = (ROOT / "locks" / "dev.txt").read_text()
    # Each stands there with its hashes, up to the first line that is not set in.
    found = [re.search(rf"^{name}==.*\n(?:    .*\n)*", locked, re.MULTILINE) for name in NEEDED]
    (folder / "requirements.txt").write_text("".join(one[0] for one in found if one))
    return folder
