"""Judging overlays leaves a cluster of somebody's own as it was found."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.k8s import admission, control_plane
from tests.deploy.k8s.cluster import Cluster
from tests.deploy.k8s.overlays import Overlays

NAMESPACES = {"engage", "engage-dev", "engage-test"}


class Remembering(Cluster):
    """A cluster that has some objects, and takes and refuses whatever a test wants."""

    def __init__(self, **there: set[str]) -> None:
        """Name what is there by its kind."""
        self.there = {"customresourcedefinitions": set(), "namespaces": set(), **there}
        self.applied: list[dict[str, Any]] = []

    def kubectl(self, *words: str, given: str = "", limit_s: float = 0) -> str:
        """Do as kubectl would, as far as what is asked here goes."""
        match words:
            case ("get", kind, "--output", "name"):
                return "".join(f"{kind}/{name}\n" for name in self.there[kind])
            case ("kustomize", folder):
                name = Path(folder).name
                namespace = "engage" if name == "prod" else f"engage-{name}"
                kinds = {"Namespace": namespace, "Deployment": "api", "StatefulSet": "scorer"}
                return yaml.safe_dump_all(
                    {"kind": kind, "metadata": {"name": one}, "spec": SPEC}
                    for kind, one in kinds.items()
                )
            case ("apply", "--dry-run=server", *_):
                return self._judged(list(yaml.safe_load_all(given)))
            case ("apply", *_):
                some = list(yaml.safe_load_all(given))
                self.applied += some[0].get("items", some)
                self.there["namespaces"] |= {
                    one["metadata"]["name"] for one in some if one.get("kind") == "Namespace"
                }
            case ("delete", "namespace", name, *_):
                self.there["namespaces"].remove(name)
        return ""

    def _judged(self, documents: list[dict[str, Any]]) -> str:
        raise AssertionError(f"{len(documents)} were to be judged")


SPEC = {"template": {"spec": {"securityContext": {}}}, "selector": {"matchLabels": {}}}


@pytest.fixture
def overlays(tmp_path: Path) -> Overlays:
    """A copy of the overlays."""
    return Overlays(tmp_path)


@pytest.fixture
def definitions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two kinds of operators, as another cluster tells them."""
    folder = tmp_path / "crds"
    folder.mkdir()
    items = [
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": name, "uid": "1", "annotations": {"a": "b"}},
            "spec": {},
            "status": {},
        }
        for name in ("kafkas.kafka.strimzi.io", "scaledobjects.keda.sh")
    ]
    (folder / "crds.yaml").write_text(json.dumps({"kind": "List", "items": items}))
    monkeypatch.setenv("DEPLOY_CRDS", str(folder))


@pytest.mark.usefixtures("definitions")
def test_only_kinds_that_the_cluster_does_not_know_are_brought():
    """Its operators' own definitions are not put back to another release."""
    cluster = Remembering(customresourcedefinitions={"kafkas.kafka.strimzi.io"})

    control_plane.define(cluster)

    (brought,) = cluster.applied
    assert brought["metadata"] == {"name": "scaledobjects.keda.sh", "annotations": {"a": "b"}}
    assert set(brought) == {"apiVersion", "kind", "metadata", "spec"}


@pytest.mark.usefixtures("definitions")
def test_a_cluster_that_has_one_of_our_namespaces_is_left_alone(overlays):
    """It may be somebody's production."""
    cluster = Remembering(namespaces={"default", "engage"})

    with pytest.raises(admission.Occupied, match="the cluster has engage: use one without"):
        admission.check(cluster, overlays)

    assert cluster.applied == []
    assert cluster.there["namespaces"] == {"default", "engage"}


@pytest.mark.usefixtures("definitions")
def test_namespaces_that_were_made_are_removed_whatever_happens(overlays):
    """Here the first overlay that is judged ends it."""
    cluster = Remembering(namespaces={"default"})

    with pytest.raises(AssertionError, match="were to be judged"):
        admission.check(cluster, overlays)

    made = {one["metadata"]["name"] for one in cluster.applied if one["kind"] == "Namespace"}
    assert made == NAMESPACES
    assert cluster.there["namespaces"] == {"default"}
