"""The API keeps what its document promises: Schemathesis, all of its checks, the whole system.

It asks every operation: the document's examples, what lies on and beyond each bound, what it makes
up, and chains of requests that follow from each other. The event stream never ends by itself; of it
the first event is read. Whatever is erased or replayed is of this test alone.

SEED=… asks something else; without it the requests are the same in every run.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from stack.launcher import Stack
from stack.tokens import bearer

HERE = Path(__file__).parent / "contract"
LIMIT_S = 1200
CLIENTS = 3

EXTRA = {
    # One token is enough for the whole run, however slow the machine is.
    "issuer": {"ISSUER_ACCESS_TOKEN_S": "7200"},
    # Every operation is also asked without a valid token, some hundred times a minute in all.
    "client-api": {"RATE_LIMIT_FAILURES_PER_MINUTE": "60000"},
}

pytestmark = pytest.mark.timeout(LIMIT_S + 300)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running system that takes this many questions."""
    folder = tmp_path_factory.mktemp("schema")
    print(f"logs: {folder / 'logs'}")
    with Stack(folder, durable=False, extra=EXTRA) as running:
        running.start()
        yield running


def _fill(http: httpx.Client) -> None:
    """Create some rows, so that ids and cursors have something to point at."""
    for number in range(1, CLIENTS + 1):
        client = http.post("/api/clients", json={"first_name": f"Ada {number}"})
        assert client.status_code == 201, client.text
        order = {"client_id": client.json()["id"], "amount": "29.90"}
        assert http.post("/api/orders", json=order).status_code == 201


def _ask(stack: Stack, report: Path) -> "subprocess.CompletedProcess[str]":
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
            "API_URL": stack.api_url,
            "API_TOKEN": bearer(stack.issuer_url),
        },
        cwd=report.parent,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def _asked(report: Path) -> set[str]:
    """Return the operations that were asked, as the run's own report has them."""
    found = set()
    for line in report.read_text().splitlines():
        scenario = json.loads(line).get("ScenarioFinished") or {}
        if scenario.get("phase") == "coverage":
            found.add(scenario["recorder"]["label"])
    return found


def test_every_operation_keeps_what_the_document_promises(
    stack: Stack, http: httpx.Client, tmp_path: Path
) -> None:
    """Not one check fails, and no operation is left out."""
    _fill(http)
    report = tmp_path / "report.ndjson"
    done = _ask(stack, report)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    document = http.get("/openapi.json").json()
    promised = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert _asked(report) == promised
