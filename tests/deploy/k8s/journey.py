"""The journey of tests/e2e/test_journey.py, in a browser, against pods."""

import json
import os
import subprocess
import sys

from stack.places import ROOT
from tests.deploy.k8s.cluster import Cluster
from tests.deploy.k8s.overlays import Overlays
from tests.deploy.k8s.shop import deployed

LIMIT_S = 1200.0
WORDS = (
    *("tests/e2e/test_journey.py", "-p", "no:asyncio", "-o", "strict_config=false"),
    *("-W", "ignore::pytest.PytestConfigWarning"),
)


def check(cluster: Cluster, overlays: Overlays) -> None:
    """Walk it. Raises Refused, CalledProcessError."""
    with deployed(cluster, overlays, "met") as shop:
        state = shop.folder / "state.json"
        met = {
            "api_url": shop.api_url,
            "issuer_url": shop.issuer_url,
            "clock_file": str(shop.clock_file),
        }
        state.write_text(json.dumps(met))
        subprocess.run(
            [sys.executable, "-m", "pytest", *WORDS],
            cwd=ROOT,
            env={**os.environ, "SYSTEM_STATE_FILE": str(state)},
            timeout=LIMIT_S,
            check=True,
        )
