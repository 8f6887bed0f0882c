"""A cluster of one real node in a container: kubelet, containerd and all."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from stack.places import HOST
from tests.deploy.engine import Engine
from tests.deploy.k8s.cluster import Cluster, Document, Refused
from tests.deploy.k8s.tools import BIN, FOLDER, Tools

NAME = "node0"
"""The container's, as node-up.sh has it."""
VOLUMES = 32
"""Those of a deployment that has gone are not used again."""
LOAD = (
    *("bash", "-euo", "pipefail", "-c"),
    f'docker save "$@" | docker exec --interactive {NAME} ctr --namespace k8s.io images import -',
    "load",
)
"""Brings images of the engine, whose names follow, to the node, as `kind load` does to kind's."""
BUILD_LIMIT_S = 1200.0
SAVE_LIMIT_S = 1200.0
UP_LIMIT_S = 900.0
ASK_LIMIT_S = 60.0


@contextmanager
def running(tools: Tools, engine: Engine) -> Iterator[Cluster]:
    """Run one until the block ends; it has no image but what every cluster has."""
    _build(tools, engine)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        tars = Path(folder) / "images"
        tars.mkdir()
        words = ("save", "--output", str(tars / "images.tar"))
        engine.docker(*words, "local/pause:1", "local/coredns:1", limit_s=SAVE_LIMIT_S)
        environment = {**tools.environment, **engine.environment}
        environment["PATH"] = tools.environment["PATH"]
        up = [str(tools.folder / "node-up.sh"), str(BIN), str(tars)]
        try:
            subprocess.run(up, env=environment, timeout=UP_LIMIT_S, check=True)
            cluster = _met(tools, engine, Path(folder) / "kubeconfig")
            _furnish(tools, engine, cluster)
            yield cluster
        except BaseException:
            engine.docker("logs", "--tail", "40", NAME, limit_s=ASK_LIMIT_S, check=False)
            raise
        finally:
            engine.docker("rm", "--force", "--volumes", NAME, limit_s=ASK_LIMIT_S * 5)


def _build(tools: Tools, engine: Engine) -> None:
    """Make the images that every cluster has: what holds a pod together, and its names."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "CGO_ENABLED": "0"}
        pause = ["go", "build", "-o", f"{folder}/pause", str(tools.folder / "pause" / "main.go")]
        subprocess.run(pause, env=environment, timeout=BUILD_LIMIT_S, check=True)
        shutil.copy(BIN / "coredns", folder)
        for name in ("pause", "coredns"):
            recipe = Path(folder) / f"{name}.Dockerfile"
            recipe.write_text(f'FROM scratch\nCOPY {name} /{name}\nENTRYPOINT ["/{name}"]\n')
            words = ("build", "--tag", f"local/{name}:1", "--file", str(recipe), folder)
            engine.docker(*words, limit_s=BUILD_LIMIT_S)


def _met(tools: Tools, engine: Engine, kubeconfig: Path) -> Cluster:
    """Wait until the node is ready."""
    asked = ("inspect", "--format", "{{.NetworkSettings.IPAddress}}", NAME)
    address = engine.docker(*asked, limit_s=ASK_LIMIT_S, capture=True).stdout.strip()
    inner = engine.docker(
        *("exec", NAME, "cat", "/node/kubeconfig"), limit_s=ASK_LIMIT_S, capture=True
    ).stdout
    kubeconfig.write_text(inner.replace(HOST, address))
    cluster = Cluster(kubeconfig, tools.environment)

    def ready() -> bool:
        try:
            told = cluster.kubectl("wait", "--for=condition=ready", "node", "--all", "--timeout=1s")
        except Refused:
            return False
        return "condition met" in told

    cluster.wait("the node is ready", ready, UP_LIMIT_S)
    return cluster


def _furnish(tools: Tools, engine: Engine, cluster: Cluster) -> None:
    """Give the cluster names of services, and volumes: folders of the node."""
    folders = [f"/node/volumes/{number}" for number in range(VOLUMES)]
    engine.docker("exec", NAME, "mkdir", "-p", *folders, limit_s=ASK_LIMIT_S)
    storage: Document = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": "folders",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    volumes = [_volume(number, folder) for number, folder in enumerate(folders)]
    cluster.apply(yaml.safe_dump_all([storage, *volumes]))
    cluster.apply((tools.folder / "dns.yaml").read_text())
    cluster.rolled_out("kube-system", UP_LIMIT_S)


def _volume(number: int, folder: str) -> Document:
    here = {"key": "kubernetes.io/os", "operator": "Exists"}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"folder-{number}"},
        "spec": {
            "capacity": {"storage": "20Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "folders",
            "local": {"path": folder},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }
