"""deploy/k8s as tests look at it: kustomizations built, and what pods are told."""

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from deploy import made_up_secrets, schemas, tools
from deploy.manifests.combinations import combinations
from stack.places import ROOT

SOURCE = ROOT / "deploy" / "k8s"
OVERLAYS = ("overlays/dev", "overlays/prod", "overlays/test")
COMBINATIONS = tuple(sorted(f"tests/{name}" for name, _ in combinations()))
LIMIT_S = 120
OPERATED = ("overlays/dev", "overlays/prod")
"""Overlays in which operators run Kafka and Postgres."""
FETCHED = ROOT / ".cache" / "crds"
BESIDE = ROOT.parent / "shared" / "platform" / "crds"
CRDS = Path(os.environ.get("DEPLOY_CRDS", FETCHED if FETCHED.is_dir() else BESIDE))
"""The operators' custom resource definitions: the cluster's, not ours. By default those that
`make deploy-crds` has fetched, or else those that lie beside the repository.
"""

Document = dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """A Deployment, StatefulSet or Job."""

    document: Document

    @property
    def name(self) -> str:
        """Its name."""
        name: str = self.document["metadata"]["name"]
        return name

    @property
    def kind(self) -> str:
        """Its kind."""
        kind: str = self.document["kind"]
        return kind

    @property
    def pod(self) -> Document:
        """What its pods are."""
        pod: Document = self.document["spec"]["template"]["spec"]
        return pod

    @property
    def labels(self) -> dict[str, str]:
        """What its pods are called by."""
        labels: dict[str, str] = self.document["spec"]["template"]["metadata"]["labels"]
        return labels

    @property
    def main(self) -> Document:
        """The container that does the work."""
        container: Document = self.pod["containers"][0]
        return container

    @property
    def containers(self) -> list[Document]:
        """All containers, those beside the main one and those before it, too."""
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]


@cache
def copy() -> Path:
    """Return a copy of deploy/k8s that has secrets, made up; it goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="k8s-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = folder / "k8s"
    shutil.copytree(SOURCE, target, ignore=shutil.ignore_patterns("secrets"))
    for overlay in OVERLAYS:
        made_up_secrets.make(target / overlay)
    return target


@cache
def text(kustomization: str) -> str:
    """Return what a kustomization, such as ``overlays/dev``, builds."""
    done = subprocess.run(
        [tools.tool("kustomize"), "build", copy() / kustomization],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return done.stdout


@cache
def documents(kustomization: str) -> tuple[Document, ...]:
    """Return the documents that a kustomization builds. They are shared: leave them alone."""
    return tuple(yaml.load_all(text(kustomization), Loader=schemas.LOADER))


def of_kind(kustomization: str, *kinds: str) -> list[Document]:
    """Return the documents of some kinds."""
    return [one for one in documents(kustomization) if one["kind"] in kinds]


def named(kustomization: str, kind: str, name: str) -> Document:
    """Return one document."""
    (found,) = [one for one in of_kind(kustomization, kind) if one["metadata"]["name"] == name]
    return found


def workloads(kustomization: str) -> list[Workload]:
    """Return everything that has pods of its own."""
    return [Workload(one) for one in of_kind(kustomization, "Deployment", "StatefulSet", "Job")]


def ours(kustomization: str) -> list[Workload]:
    """Return those that run our images."""
    return [
        one
        for one in workloads(kustomization)
        if "engagement/" in one.main["image"] and "/connect" not in one.main["image"]
    ]


def literal(kustomization: str, container: Document) -> dict[str, str]:
    """Return a container's variables; those from secrets and fields as they are named."""
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found |= named(kustomization, "ConfigMap", source["configMapRef"]["name"])["data"]
    for variable in container.get("env", []):
        found[variable["name"]] = variable.get("value", f"<{variable['name'].lower()}>")
    return found


def values(part: Any, key: str) -> Iterator[Any]:
    """Yield every value that stands under a key, however deep."""
    if isinstance(part, dict):
        for name, value in part.items():
            if name == key:
                yield value
            yield from values(value, key)
    elif isinstance(part, list):
        for one in part:
            yield from values(one, key)
