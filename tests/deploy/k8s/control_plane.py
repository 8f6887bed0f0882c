"""An API server with scheduler and controllers on loopback, and simulated nodes in three zones."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy import schemas
from stack.places import free_port
from tests.deploy.engine import Missing
from tests.deploy.k8s.cluster import Cluster, Document
from tests.deploy.k8s.tools import Tools

UP_LIMIT_S = 300.0
DOWN_LIMIT_S = 120.0
CRDS_LIMIT_S = 300.0


@contextmanager
def running(tools: Tools) -> Iterator[Cluster]:
    """Run one until the block ends."""
    with tempfile.TemporaryDirectory(prefix="control-plane-") as folder:
        environment = {
            **tools.environment,
            "ETCD_PORT": str(free_port()),
            "API_PORT": str(free_port()),
        }
        up, down = (str(tools.folder / name) for name in ("cp-up.sh", "cp-down.sh"))
        try:
            subprocess.run([up, folder], env=environment, timeout=UP_LIMIT_S, check=True)
            yield Cluster(Path(folder) / "kubeconfig", environment)
        finally:
            subprocess.run([down, folder], env=environment, timeout=DOWN_LIMIT_S, check=True)


def definitions() -> Path:
    """Return the folder of the operators' custom resource definitions. Raises Missing."""
    named = os.environ.get("DEPLOY_CRDS")
    if not named or not any(Path(named).glob("*.yaml")):
        raise Missing(
            "no custom resource definitions: name a folder by DEPLOY_CRDS, .cache/crds after"
            " `make deploy-crds`, or one filled by `kubectl get crds --output yaml >"
            " FOLDER/crds.yaml` on a cluster that has the operators of deploy/k8s/README.md"
        )
    return Path(named)


def define(cluster: Cluster) -> None:
    """Let a cluster know the kinds of the operators that it does not know. Raises Missing.

    Those that it knows are its operators', and stay as they are.
    """
    there = cluster.names("customresourcedefinitions")
    found = schemas.definitions_in(definitions())
    lacking = [one for one in found if one["metadata"]["name"] not in there]
    if not lacking:
        return
    items = {"apiVersion": "v1", "kind": "List", "items": [_plain(one) for one in lacking]}
    words = ("--server-side", "--filename", "-")
    cluster.kubectl("apply", *words, given=json.dumps(items), limit_s=CRDS_LIMIT_S)
    names = [one["metadata"]["name"] for one in lacking]
    wait = ("wait", "--for=condition=established", "customresourcedefinitions", *names)
    cluster.kubectl(*wait, f"--timeout={CRDS_LIMIT_S:.0f}s", limit_s=CRDS_LIMIT_S)


def _plain(definition: Mapping[str, Any]) -> Document:
    """Return a definition without what another cluster noted about it."""
    kept = ("name", "labels", "annotations")
    metadata = {key: value for key, value in definition["metadata"].items() if key in kept}
    return {
        **{key: definition[key] for key in ("apiVersion", "kind", "spec")},
        "metadata": metadata,
    }
