"""The pipeline runs what anyone can run, pins what it uses, and does not start itself."""

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from deploy import release
from stack.places import ROOT
from tests.deploy.k8s import __main__ as k8s

PIPELINE = ROOT / ".github" / "workflows" / "pipeline.yml"
LIMIT_S = 30


def test_the_pipeline_runs_make_targets_that_are_there():
    targets = set(re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    runs = [step["run"] for step in _steps() if "run" in step]
    made = {
        word
        for run in runs
        for words in re.findall(r"\bmake((?: [a-z0-9-]+\b(?!=))+)", run)
        for word in words.split()
    }

    needed = {"test", "images", "push", "sign", "promote", "compose-test", "k8s-test"}
    assert needed <= made <= targets


def test_the_pipeline_pins_what_it_uses_and_names_no_secret_but_the_forges_own():
    text = PIPELINE.read_text()
    for step in _steps():
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]), step["uses"]
    assert set(re.findall(r"secrets\.(\w+)", text)) == {"GITHUB_TOKEN"}
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}


def test_only_the_build_is_told_the_bases_and_it_checks_them_first():
    """Elsewhere they would be the servers' images as well: Strimzi's is no broker for Compose."""
    told = [step for step in _steps() if set(step.get("env", {})) & set(release.BASES)]
    (build,) = [step for step in _steps() if re.search(r"\bmake .*\bimages\b", _run(step))]

    assert told == [build]
    assert build["run"] == "make pinned images"
    assert build["env"] == {name: f"${{{{ vars.{name} }}}}" for name in release.BASES}


def test_a_registry_is_told_small_letters_before_anything_is_built(tmp_path):
    """ghcr.io refuses a name with capitals, which owners of repositories may have."""
    runs = [_run(step) for step in _job("images")["steps"]]
    (place,) = [number for number, run in enumerate(runs) if "IMAGES=" in run]

    subprocess.run(
        ["bash", "-ec", runs[place]],
        env={"REGISTRY": "ghcr.io/Shop/Engagement", "GITHUB_ENV": str(tmp_path / "env")},
        timeout=LIMIT_S,
        check=True,
    )

    assert (tmp_path / "env").read_text() == "IMAGES=ghcr.io/shop/engagement\n"
    assert place < runs.index("make pinned images")


def test_what_compose_test_starts_is_what_was_built_and_not_yet_pushed():
    """Others, built for the test alone, would say nothing about those that are signed."""
    runs = [_run(step) for step in _job("images")["steps"]]
    assert runs.index("make pinned images") < runs.index("make compose-test")
    assert runs.index("make compose-test") < runs.index("make push")

    named = {"IMAGES": "ghcr.io/shop", "VERSION": "abc", "PATH": "/usr/local/bin:/usr/bin:/bin"}
    words = ["make", "--dry-run", "--assume-old=setup", "compose-test"]
    told = subprocess.run(
        words, cwd=ROOT, env=named, capture_output=True, text=True, timeout=LIMIT_S, check=True
    ).stdout
    assert '-m tests.deploy.compose --images "ghcr.io/shop" --version "abc"' in told


def test_nothing_is_promoted_that_no_cluster_has_run():
    """As many parts as run without simulated nodes, on a cluster that is made for it."""
    runs = [_run(step) for step in _job("cluster")["steps"]]
    (make,) = [run for run in runs if "make k8s-test" in run]
    parts = re.findall(r'PARTS="([^"]+)"', make)[0].split()

    assert set(_job("promote")["needs"]) == {"images", "cluster"}
    assert set(parts) == {*k8s.JUDGED, *k8s.REAL} - {"simulated"}
    assert any(run.endswith("kind create cluster --name k8s-test") for run in runs)
    assert 'LOAD="kind load docker-image --name k8s-test"' in make


def test_a_promotion_that_is_merged_starts_no_pipeline():
    """What is proposed is the one file whose change alone is not looked at."""
    (alone,) = _workflow()["on"]["push"]["paths-ignore"]
    propose = _run(_job("promote")["steps"][-1])

    assert ROOT / alone == release.PROD / "kustomization.yaml"
    assert re.search(rf"commit --message [^\n]+\\\n\s+{re.escape(alone)}\n", propose)
    assert "--all" not in propose


def test_a_promotion_is_checked_before_it_is_proposed():
    """A request of the forge's own token starts no workflow, so nobody else would."""
    runs = [_run(step) for step in _job("promote")["steps"]]
    (check,) = [number for number, run in enumerate(runs) if "make deploy-check" in run]

    assert runs.index("make promote") < check < len(runs) - 1
    assert "git push" in runs[-1]


def test_a_promotion_that_is_run_again_has_a_branch_of_its_own():
    """One of the run before would refuse the push."""
    (branch,) = re.findall(r'branch="([^"]+)"', _run(_job("promote")["steps"][-1]))

    assert branch.endswith("-$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT")


def test_what_was_pushed_is_what_is_promoted(tmp_path):
    """One job tells the digests, and the next one writes them where `make promote` looks."""
    told = next(step for step in _job("images")["steps"] if step.get("id") == "told")
    take = next(step for step in _job("promote")["steps"] if "TOLD" in step.get("env", {}))
    folder = tmp_path / release.TOLD.relative_to(ROOT).parent
    folder.mkdir(parents=True)
    (folder / release.TOLD.name).write_text('{\n  "engagement/scorer": "r/s@sha256:0"\n}\n')

    _bash(told["run"], tmp_path, GITHUB_OUTPUT="output")
    name, _, value = (tmp_path / "output").read_text().strip().partition("=")
    (folder / release.TOLD.name).unlink()
    _bash(take["run"], tmp_path, TOLD=value)

    assert yaml.safe_load((folder / release.TOLD.name).read_text()) == {
        "engagement/scorer": "r/s@sha256:0"
    }
    assert _job("images")["outputs"] == {name: f"${{{{ steps.told.outputs.{name} }}}}"}
    assert take["env"] == {"TOLD": f"${{{{ needs.images.outputs.{name} }}}}"}


def test_what_operators_are_asked_for_is_checked_in_the_pipeline():
    """Without the definitions those tests would be skipped."""
    for step in _steps():
        if re.search(r"\bmake (test|deploy-check|k8s-test)\b", _run(step)):
            assert _run(step).endswith('DEPLOY_CRDS="$PWD/.cache/crds"')


def _bash(script: str, folder: Path, **variables: str) -> None:
    path = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    words = ["bash", "-ec", script]
    subprocess.run(words, env={**path, **variables}, cwd=folder, timeout=LIMIT_S, check=True)


def _workflow() -> dict[str, Any]:
    # The word `on` would be a truth.
    text = PIPELINE.read_text().replace("\non:\n", "\n'on':\n")
    workflow: dict[str, Any] = yaml.safe_load(text)
    return workflow


def _job(name: str) -> dict[str, Any]:
    job: dict[str, Any] = _workflow()["jobs"][name]
    return job


def _steps() -> list[dict[str, Any]]:
    return [step for job in _workflow()["jobs"].values() for step in job["steps"]]


def _run(step: dict[str, Any]) -> str:
    return str(step.get("run", "")).strip()
