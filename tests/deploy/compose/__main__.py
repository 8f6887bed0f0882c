"""Docker Compose from nothing to an email: ``python -m tests.deploy.compose [--images PREFIX …]``.

Builds the images or takes those that are named, looks into each, starts them, walks the journey of
tests/e2e/test_journey.py against them, looks at them through the monitoring profile, starts them
again, makes each service's container and the scorer's table anew under load, runs commands of
docs/operations, and lets the servers of the other tests run in containers, too. Leaves images
behind, no container and no volume.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from stack.places import ROOT
from tests.deploy import bases
from tests.deploy.compose import guided, recreated
from tests.deploy.compose.project import Built, Project
from tests.deploy.engine import ASK_LIMIT_S, Engine, Missing, engine

INSIDE = Path(__file__).parent / "inside.py"
INSIDE_CONNECT = """
set -eux
[[ $(id -u) != 0 ]]
compgen -G '/opt/kafka/plugins/*/debezium-connector-postgres-*.jar'
"""
TESTS_LIMIT_S = 1200.0
SHARE_MAX = 0.85
"""Of its memory limit, after the journey: above it the limit is too tight to be a limit."""
JOURNEY = (
    *("tests/e2e/test_journey.py", "-p", "no:asyncio", "-o", "strict_config=false"),
    *("-W", "ignore::pytest.PytestConfigWarning"),
)
IN_CONTAINERS = (
    "tests/integration/client_api/test_migrations.py",
    "tests/integration/cdc_relay/test_relay_on_kafka.py",
)
"""One that needs Postgres and one that needs Kafka."""


class TooTight(Exception):
    """A container came close to its memory limit."""


def main(argv: list[str]) -> int:
    """Do it all; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.deploy.compose")
    parser.add_argument("--images", metavar="PREFIX", help="of images that are built already")
    parser.add_argument("--version", default="dev", help="theirs")
    named = parser.parse_args(argv)
    built = Built(named.images, named.version) if named.images else None
    try:
        with engine() as running, tempfile.TemporaryDirectory(prefix="compose-test-") as folder:
            timed("base images", lambda: bases.provide(running))
            walk(running, Path(folder), built)
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 2
    except (subprocess.SubprocessError, TooTight, AssertionError) as error:
        print(f"compose-test failed: {error}", file=sys.stderr)
        return 1
    print("compose-test: all well")
    return 0


def walk(running: Engine, folder: Path, built: Built | None) -> None:
    """Build, start, test, start again; takes everything down, whatever happens."""
    project = Project(running, folder, built)
    timed("configuration", project.check)
    if built is None:
        timed("build", project.build)
    for image in project.images():
        look_inside(running, image)
    try:
        timed("up", project.up)
        state = str(project.state_file)
        timed("journey", lambda: run_tests(running, *JOURNEY, SYSTEM_STATE_FILE=state))
        timed("monitoring", project.watch)
        weigh(project)
        before = project.running()
        timed("up again", project.up)
        assert project.running() == before, "not only what is done once was started again"
        timed("recreated under load", lambda: recreated.check(project))
        timed("the guide's commands", lambda: guided.check(project))
    except BaseException:
        project.show_trouble()
        raise
    finally:
        timed("down", project.down)
    timed(
        "servers in containers",
        lambda: run_tests(running, *IN_CONTAINERS, TEST_SERVERS="containers"),
    )


def timed(what: str, work: Callable[[], None]) -> None:
    """Do something and say how long it took."""
    began = time.monotonic()
    work()
    print(f"{what}: {time.monotonic() - began:.1f} s", flush=True)


def look_inside(running: Engine, image: str) -> None:
    """Check an image from within, as it would run."""
    guarded = ("--network=none", "--read-only", "--cap-drop=ALL")
    # Its base is another one: what is in that, others answer for.
    of_kafka = "/connect:" in image
    command, code = ("bash", INSIDE_CONNECT) if of_kafka else ("python", INSIDE.read_text())
    words = (f"--entrypoint={command}", image, "-c", code)
    if not running.has(image):
        raise Missing(f"there is no image {image}: build it by `make images`")
    print(f"inside {image}", flush=True)
    running.docker("run", "--rm", *guarded, *words, limit_s=ASK_LIMIT_S)


def run_tests(running: Engine, *words: str, **more: str) -> None:
    """Run pytest with the engine within reach."""
    subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=ROOT,
        env={**running.environment, **more},
        timeout=TESTS_LIMIT_S,
        check=True,
    )


def weigh(project: Project) -> None:
    """Show what each container takes of its memory limit; fails when one is close to it."""
    tight = []
    for use in project.usage():
        share = use.bytes / use.limit_bytes
        print(f"  {use.service:<12} {use.bytes >> 20:>5} of {use.limit_bytes >> 20} MiB")
        if share > SHARE_MAX:
            tight.append(use.service)
    if tight:
        raise TooTight(f"more than {SHARE_MAX:.0%} of the memory limit: {', '.join(tight)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
