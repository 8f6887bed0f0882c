"""The operators' definitions are fetched as they are pinned, and of the releases that we name."""

import hashlib
import re
from pathlib import Path

import pytest

from deploy import crds
from deploy.crds import Refused, fetch, read_lock
from tests.unit.deploy import kustomized
from tests.unit.deploy.kustomized import ROOT
from tests.unit.deploy.test_k8s import OPERATORS

RELEASES = {
    "strimzi/strimzi-kafka-operator": "Strimzi",
    "cloudnative-pg/cloudnative-pg": "CloudNativePG",
    "kedacore/keda": "KEDA",
    "prometheus-operator/prometheus-operator": "Prometheus operator",
    "external-secrets/external-secrets": "External Secrets",
    "kubernetes-sigs/gateway-api": "Gateway API",
}
"""The operator of each repository, as deploy/k8s/README.md calls it."""


def offered(folder: Path, name: str, content: bytes) -> dict[str, str]:
    """Return the lock of one file that can be fetched."""
    (folder / name).write_bytes(content)
    return {(folder / name).as_uri(): hashlib.sha256(content).hexdigest()}


def test_what_is_pinned_is_fetched_once_and_nothing_else_stays(tmp_path):
    locked = offered(tmp_path, "topics.yaml", b"kind: CustomResourceDefinition\n")
    folder = tmp_path / "crds"
    folder.mkdir()
    (folder / "of-an-older-release.yaml").touch()

    assert fetch(locked, folder) == [folder / "topics.yaml"]
    assert fetch(locked, folder) == []

    assert list(folder.iterdir()) == [folder / "topics.yaml"]


def test_a_file_that_is_not_what_is_pinned_is_refused_and_not_kept(tmp_path):
    locked = dict.fromkeys(offered(tmp_path, "topics.yaml", b"other"), "0" * 64)

    with pytest.raises(Refused, match=r"is not what locks/crds[.]txt pins"):
        fetch(locked, tmp_path / "crds")

    assert list((tmp_path / "crds").iterdir()) == []


def test_an_address_that_does_not_answer_is_refused(tmp_path):
    with pytest.raises(Refused, match=r"topics[.]yaml"):
        fetch({(tmp_path / "topics.yaml").as_uri(): "0" * 64}, tmp_path / "crds")


def test_the_lock_has_the_definition_of_every_kind_that_we_ask_an_operator_for():
    """A kind without one would not be checked where the lock is what there is."""
    text = crds.LOCK.read_text()
    asked = {
        one["kind"].lower()
        for name in (*kustomized.OVERLAYS, "tests/all")
        for one in kustomized.documents(name)
        if one["apiVersion"].rpartition("/")[0] in OPERATORS
    }

    plurals = {
        kind.removesuffix("y") + "ies" if kind.endswith("y") else kind + "s" for kind in asked
    }
    named = set(re.findall(r"[-_]([a-z]+)\.yaml$", text, re.MULTILINE))
    assert len(named) == len(read_lock(text)) == len(asked)
    assert named <= asked | plurals


def test_the_locks_releases_are_those_that_a_cluster_must_have():
    """deploy/k8s/README.md names them to whoever installs the operators."""
    said = (ROOT / "deploy" / "k8s" / "README.md").read_text()
    for address in read_lock(crds.LOCK.read_text()):
        repository, release = re.findall(
            r"githubusercontent[.]com/([^/]+/[^/]+)/([^/]+)/", address
        )[0]
        (line,) = re.findall(rf"^\| {RELEASES[repository]} \| ([\d.]+)", said, re.MULTILINE)
        assert f"{release.removeprefix('v')}.".startswith(f"{line}."), address
