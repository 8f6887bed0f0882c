"""The five commands of README.md as a new user runs them: from a clone to an order's score.

They are run as they stand there, in a clone, without our virtual environment. One thing differs, as
it does between any two clusters: what brings images to the nodes, where that is not kind.
"""

import shlex
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from stack.places import HOST, ROOT, is_free
from stack.tokens import As
from tests.deploy import checkout, guides
from tests.deploy.engine import Engine, Missing
from tests.deploy.k8s.cluster import Cluster
from tests.deploy.k8s.forwarding import forwarded
from tests.deploy.k8s.shop import NAMESPACE
from tests.e2e.browsing import chromium, visiting
from tests.e2e.system import System
from tests.e2e.waiting import wait_for

README = ROOT / "README.md"
HEADING = "On a platform"
GUIDE = ROOT / "deploy" / "k8s" / "README.md"
EVERY_DAY = "On a cluster without operators"
KIND = "kind load docker-image"
API_PORT, ISSUER_PORT = 8000, 8020
"""As the last command has them: the issuer's must be the same inside and outside."""
SCORE = "[data-testid=score][data-value]"
COMMAND_LIMIT_S = 3600.0
SCORED_LIMIT_S = 120.0


def check(cluster: Cluster, engine: Engine, load: Sequence[str]) -> None:
    """Run them, meet the system, then run what is for every day.

    Raises Missing, CalledProcessError, AssertionError.
    """
    if taken := [port for port in (API_PORT, ISSUER_PORT) if not is_free(port)]:
        raise Missing(f"the README's last command needs port {taken[0]}, which is taken")
    *first, last = five_commands()
    environment = checkout.environment({**engine.environment, **cluster.command()[1]})
    try:
        with tempfile.TemporaryDirectory(prefix="install-") as folder:
            clone = checkout.clone(Path(folder) / "engagement")
            for command in first:
                _run(command.replace(KIND, shlex.join(load)), command, clone, environment)
            words = ["bash", "-c", f"exec {last}"]
            log = Path(folder) / "forward.log"
            with forwarded(words, environment, (API_PORT, ISSUER_PORT), log):
                print(f"  {last}", flush=True)
                _meet()
            (every_day,) = guides.blocks(GUIDE, EVERY_DAY)
            for command in guides.commands(every_day):
                _run(command, command, clone, environment)
        assert NAMESPACE not in cluster.names("namespaces"), "the last command removes all of it"
    except BaseException:
        cluster.show_trouble(NAMESPACE)
        raise
    finally:
        cluster.forget(NAMESPACE)


def five_commands() -> list[str]:
    """Return the commands that the README gives for a cluster; AssertionError if not five."""
    (block,) = (one for one in guides.blocks(README, HEADING) if "kubectl" in one)
    found = guides.commands(block)
    assert len(found) == 5, found
    assert sum(KIND in one for one in found) == 1, found
    return found


def _run(command: str, told: str, folder: Path, environment: Mapping[str, str]) -> None:
    began = time.monotonic()
    words = ["bash", "-euo", "pipefail", "-c", command]
    subprocess.run(words, cwd=folder, env=environment, timeout=COMMAND_LIMIT_S, check=True)
    print(f"  {told}\n    {time.monotonic() - began:.0f} s", flush=True)


def _meet() -> None:
    """Sign in, place an order, see its score, by HTTP and on the dashboard."""
    url, issuer_url = (f"http://{HOST}:{port}" for port in (API_PORT, ISSUER_PORT))
    with httpx.Client(base_url=url, auth=As(issuer_url), trust_env=False, timeout=30) as http:
        system = System(url, issuer_url, Path("/nowhere"), http)
        assert http.get("/readyz").status_code == httpx.codes.OK
        client = system.post("/api/clients", {"first_name": "Ada", "synthetic": True})
        order = system.post("/api/orders", {"client_id": client["id"], "amount": "40.00"})

        def scored() -> float | None:
            score = system.get(f"/api/clients/{client['id']}")["score"]
            known = score and score["merged_version"] >= order["version"]
            return score["score"] if known else None

        score = wait_for("the order is in the client's score", scored, SCORED_LIMIT_S)
        with chromium() as browser, visiting(browser, url, issuer_url) as visit:
            visit.sign_in("Olivia", f"/clients/{client['id']}")
            shown = visit.page.locator(SCORE).first.get_attribute("data-value")
    print(f"  an order through the API: score {score:.3f}, on the page {shown}", flush=True)
    assert abs(float(shown or "nan") - score) < 0.01, (shown, score)
