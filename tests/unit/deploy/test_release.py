"""Images reach production signed, by digest, and built on what is pinned."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import release, sbom, schemas
from deploy.release import Refused
from deploy.tools import tool
from stack import downloads
from tests.unit.deploy import dockerfiles, kustomized
from tests.unit.deploy.kustomized import ROOT

DIGEST = "sha256:" + "0123456789abcdef" * 4
IMAGE = re.compile(
    r"[a-z0-9-]+(?:\.[a-z0-9-]+)+/(?:[a-z0-9._-]+/)*(?P<name>[a-z-]+)"
    r"(?::unreleased|@sha256:[0-9a-f]{64})"
)
"""An image with its registry's host: one that waits to be promoted, or one that has been."""


def digests() -> dict[str, str]:
    """Return what a push of every image would have told."""
    return {
        image: f"registry.example.com/shop/{image.removeprefix('engagement/')}@{DIGEST}"
        for image in release.promoted()
    }


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """A copy of production's overlay."""
    shutil.copytree(release.PROD, tmp_path / "prod")
    return tmp_path / "prod"


def test_what_was_pushed_is_promoted_by_digest(overlay):
    release.promote(digests(), overlay)

    images = yaml.safe_load((overlay / "kustomization.yaml").read_text())["images"]
    assert {image["name"] for image in images} == set(release.promoted())
    for image in images:
        assert image["newName"].startswith("registry.example.com/shop/")
        assert image["digest"] == DIGEST
        assert "newTag" not in image


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            {"engagement/scorer": "registry.example.com/shop/scorer:latest"},
            "not an image by digest",
        ),
        ({"engagement/scorer": None}, "does not name engagement/scorer"),
    ],
)
def test_a_tag_or_a_missing_image_is_refused_and_nothing_is_written(overlay, change, why):
    before = (overlay / "kustomization.yaml").read_text()
    images = {name: it for name, it in {**digests(), **change}.items() if it is not None}

    with pytest.raises(Refused, match=why):
        release.promote(images, overlay)

    assert (overlay / "kustomization.yaml").read_text() == before


def test_the_digest_is_that_of_the_registry_that_was_pushed_to():
    theirs = f"other.example.com/scorer@{DIGEST}"
    ours = f"registry.example.com/shop/scorer@{DIGEST}"

    assert release.pushed("registry.example.com/shop/scorer", [theirs, ours]) == ours
    with pytest.raises(Refused, match="no digest of its own"):
        release.pushed("registry.example.com/shop/scorer", [theirs])


def test_production_runs_nothing_of_ours_that_is_not_promoted():
    """An image that the overlay does not name would be deployed by its development tag."""
    images = set(re.findall(r"image: (engagement/[a-z-]+)", _base()))
    assert images <= set(release.promoted())


def images_of(overlay: Path) -> dict[str, str]:
    """Return the image of each of ours that an overlay of a whole copy of deploy/k8s runs."""
    built = release.run([str(tool("kustomize")), "build", str(overlay)])
    documents = list(yaml.load_all(built, Loader=schemas.LOADER))
    (connect,) = [one["spec"]["image"] for one in documents if one["kind"] == "KafkaConnect"]
    pods = [one["spec"]["template"]["spec"] for one in documents if _has_pods(one)]
    ours = [container["image"] for pod in pods for container in pod["containers"]]
    return {IMAGE.fullmatch(image)["name"]: image for image in (*ours, connect)}


def _has_pods(document: dict[str, Any]) -> bool:
    return document["kind"] in {"Deployment", "StatefulSet", "Job"}


@pytest.mark.parametrize("promoted", [False, True], ids=["as it is", "promoted"])
def test_production_runs_images_of_a_registry_unreleased_or_by_digest(promoted, tmp_path):
    """Nothing is taken from a node's own store, and a promotion keeps what is tested here true."""
    whole = tmp_path / "k8s"
    shutil.copytree(kustomized.copy(), whole)
    overlay = whole / "overlays" / "prod"
    if promoted:
        release.promote(digests(), overlay)

    found = images_of(overlay)

    assert {f"engagement/{name}" for name in found} == set(release.promoted())
    if promoted:
        assert set(found.values()) == set(digests().values())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"PYTHON_IMAGE": "python:3.13-slim"}, "PYTHON_IMAGE must name an image by digest"),
        ({"NODE_IMAGE": ""}, "NODE_IMAGE must name an image by digest"),
        ({"KAFKA_IMAGE": None}, "KAFKA_IMAGE must name an image by digest"),
        ({"KAFKA_IMAGE": f"apache/kafka:4.3.1@{DIGEST}"}, "must be Strimzi's own"),
    ],
)
def test_a_release_is_built_on_nothing_that_can_move_and_connect_on_strimzis_image(change, why):
    pins = {
        "PYTHON_IMAGE": f"python:3.13-slim@{DIGEST}",
        "NODE_IMAGE": f"node:24-slim@{DIGEST}",
        "KAFKA_IMAGE": f"quay.io/strimzi/kafka:1.2.0-kafka-4.3.1@{DIGEST}",
    }
    release.pinned(pins)

    with pytest.raises(Refused, match=why):
        release.pinned({name: it for name, it in {**pins, **change}.items() if it is not None})


def test_what_must_be_pinned_is_all_that_production_is_built_on():
    """Every base of the two Dockerfiles, each by the variable that Compose passes on."""
    bases = {
        name
        for file in (dockerfiles.SERVICES, dockerfiles.CONNECT)
        for name in dockerfiles.read(file).arguments
        if name.endswith("_IMAGE")
    }

    assert set(release.BASES) == bases


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """The commands that signing would run; there is a bill for each image."""
    monkeypatch.setattr(release, "SBOMS", tmp_path)
    for image in release.promoted():
        for bill in release.bills_of(image):
            bill.touch()
    commands: list[list[str]] = []
    monkeypatch.setattr(release, "run", lambda words: commands.append(list(words)))
    return commands


def test_each_image_is_signed_and_says_what_it_contains(signed):
    release.sign(digests())

    attested = {(words[-1], Path(words[-2]).name) for words in signed if words[1] == "attest"}
    assert {words[-1] for words in signed if words[1] == "sign"} == set(digests().values())
    assert {reference for reference, _ in attested} == set(digests().values())
    assert (digests()["engagement/client-api"], "dashboard.cdx.json") in attested


def test_nothing_is_signed_while_a_bill_is_missing(signed, tmp_path):
    (tmp_path / "connect.cdx.json").unlink()

    with pytest.raises(Refused, match=r"no connect[.]cdx[.]json: run `make sbom` first"):
        release.sign(digests())

    assert signed == []


def test_connects_bill_names_the_plugin_by_the_content_that_its_build_checks():
    (plugin,) = sbom.connect()["components"]

    locked = downloads.LOCK.read_text()
    name = f"{plugin['name']}-{plugin['version']}-plugin.tar.gz"
    assert f"{plugin['hashes'][0]['content']}  {name}\n" in locked


def _base() -> str:
    return "\n".join(path.read_text() for path in (ROOT / "deploy/k8s/base").glob("*.yaml"))
