"""The API keeps what its document promises: Schemathesis, all of its checks, the whole system.

It asks every operation: the document's examples, what lies on and beyond each bound, what it makes
up, and chains of requests that follow from each other. The event stream never ends by itself; of it
the first event is read. The examples name rows of a shop in which each kind of row stands, emails
in each state that people meet. Whatever is erased or replayed is of this test alone.

SEED=… asks something else; without it the requests are the same in every run.
"""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from stack.launcher import Stack
from stack.places import free_port
from stack.tokens import bearer
from tests.e2e import stocked
from tests.e2e.letterbox import Letterbox, letterbox

HERE = Path(__file__).parent / "contract"
LIMIT_S = 1200
STOCKING_LIMIT_S = 900

EXTRA = {
    # One token is enough for the whole run, however slow the machine is.
    "issuer": {"ISSUER_ACCESS_TOKEN_S": "7200"},
    # Every operation is also asked without a valid token, some hundred times a minute in all.
    "client-api": {"RATE_LIMIT_FAILURES_PER_MINUTE": "60000"},
}

pytestmark = pytest.mark.timeout(LIMIT_S + STOCKING_LIMIT_S)

Asked = dict[str, set[tuple[str, int]]]
"""Which paths an operation was asked under, and what status each had."""


@pytest.fixture(scope="module")
def post() -> Iterator[tuple[Letterbox, dict[str, str]]]:
    """Where emails go, and what the mailer is told of it."""
    with letterbox(free_port()) as running:
        yield running


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, post: tuple[Letterbox, dict[str, str]]
) -> Iterator[Stack]:
    """A running system that takes this many questions, and sends emails."""
    folder = tmp_path_factory.mktemp("schema")
    print(f"logs: {folder / 'logs'}")
    with Stack(folder, durable=False, extra=EXTRA | {"mailer": post[1]}) as running:
        running.start()
        yield running


def _ask(stack: Stack, stock: Path, report: Path) -> "subprocess.CompletedProcess[str]":
    seed = os.environ.get("SEED")
    print(f"seed: {seed or 'none: the same requests in every run'}")
    chosen = ["--seed", seed] if seed else ["--generation-deterministic"]
    return subprocess.run(
        [
            *(str(Path(sys.executable).with_name("st")), "--config-file"),
            *(str(HERE / "schemathesis.toml"), "run", f"{stack.api_url}/openapi.json"),
            *("--no-color", "--report", "ndjson", "--report-ndjson-path", str(report)),
            *chosen,
        ],
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "NO_PROXY": "127.0.0.1",
            "PYTHONPATH": str(HERE),
            "SCHEMATHESIS_HOOKS": "hooks",
            "STOCK": str(stock),
            "API_URL": stack.api_url,
            "API_TOKEN": bearer(stack.issuer_url),
        },
        cwd=report.parent,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def _asked(report: Path) -> tuple[set[str], Asked]:
    """Return the operations that were asked, and all answers, as the run's own report has them."""
    covered: set[str] = set()
    answers: Asked = defaultdict(set)
    for line in report.read_text().splitlines():
        scenario = json.loads(line).get("ScenarioFinished")
        if scenario is None:
            continue
        recorder = scenario["recorder"]
        if scenario["phase"] == "coverage":
            covered.add(recorder["label"])
        # A scenario without anything to ask is skipped.
        for name, interaction in recorder.get("interactions", {}).items():
            if interaction["response"] is not None:
                case = recorder["cases"][name]["value"]
                status = interaction["response"]["status_code"]
                path = urlsplit(interaction["request"]["uri"]).path
                answers[f"{case['method']} {case['path']}"].add((path, status))
    return covered, answers


def _succeeded(answers: Asked, operation: str) -> set[str]:
    """Return the paths under which an operation had a 2xx."""
    return {path for path, status in answers[operation] if 200 <= status < 300}


def test_every_operation_keeps_what_the_document_promises(
    stack: Stack, http: httpx.Client, post: tuple[Letterbox, dict[str, str]], tmp_path: Path
) -> None:
    """Not one check fails, no operation is left out, and each has succeeded: those of emails with
    every email of the shop.
    """
    stock = stocked.fill(stack, http, post[0])
    file, report = tmp_path / "stock.json", tmp_path / "report.ndjson"
    file.write_text(json.dumps(stock._asdict()))
    done = _ask(stack, file, report)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    document = http.get("/openapi.json").json()
    promised = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    covered, answers = _asked(report)
    assert covered == promised
    assert {operation for operation in promised if not _succeeded(answers, operation)} == set()
    for path in ("emails/{episode_id}", "emails/{episode_id}/lineage", "episodes/{episode_id}"):
        asked = {f"/api/{path.format(episode_id=each)}" for each in stock.kept["episode_id"]}
        assert asked - _succeeded(answers, f"GET /api/{path}") == set()
