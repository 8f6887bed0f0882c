"""Images reach production by digest, and the pipeline runs what anyone can run."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from deploy import release
from deploy.release import Refused
from deploy.tools import tool
from tests.unit.deploy.kustomized import ROOT

DIGEST = "sha256:" + "0123456789abcdef" * 4
PIPELINE = ROOT / ".github" / "workflows" / "pipeline.yml"


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


def test_the_pipeline_runs_make_targets_that_are_there():
    targets = set(re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    runs = [step["run"] for step in _steps() if "run" in step]
    made = {word for run in runs for word in re.findall(r"\bmake ([a-z-]+)", run)}

    assert {"test", "images", "push", "sign", "promote", "compose-test"} <= made <= targets


def test_the_pipeline_pins_what_it_uses_and_names_no_secret_but_the_forges_own():
    text = PIPELINE.read_text()
    for step in _steps():
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]), step["uses"]
    assert set(re.findall(r"secrets\.(\w+)", text)) == {"GITHUB_TOKEN"}
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}


def test_kustomize_builds_what_was_promoted(overlay):
    """Kustomize alone says what an image becomes: asked with a pod of each."""
    release.promote(digests(), overlay)
    images = yaml.safe_load((overlay / "kustomization.yaml").read_text())["images"]
    lone = overlay.parent / "lone"
    lone.mkdir()
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name.removeprefix("engagement/")},
            "spec": {"containers": [{"name": "main", "image": name}]},
        }
        for name in release.promoted()
    ]
    (lone / "pods.yaml").write_text("---\n".join(json.dumps(pod) + "\n" for pod in pods))
    (lone / "kustomization.yaml").write_text(
        json.dumps({"resources": ["pods.yaml"], "images": images})
    )

    built = release.run([str(tool("kustomize")), "build", str(lone)])

    found = {pod["spec"]["containers"][0]["image"] for pod in yaml.safe_load_all(built)}
    assert found == set(digests().values())


def _base() -> str:
    return "\n".join(path.read_text() for path in (ROOT / "deploy/k8s/base").glob("*.yaml"))


def _steps() -> list[dict[str, str]]:
    jobs = yaml.safe_load(PIPELINE.read_text())["jobs"].values()
    return [step for job in jobs for step in job["steps"]]
