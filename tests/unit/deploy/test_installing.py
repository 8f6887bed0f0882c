"""What a new user reads about a cluster can be run: five commands, and all that they need."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deploy import made_up_secrets
from stack.places import ROOT
from tests.deploy import checkout, guides
from tests.deploy.k8s import images, installing
from tests.unit.deploy import kustomized
from tests.unit.deploy.kustomized import SOURCE, Workload

LIMIT_S = 60
WITHOUT_OPERATORS = "overlays/test"


def test_the_readme_gives_five_commands_for_a_cluster():
    first, *_, last = installing.five_commands()
    assert first == "make images VERSION=test"
    assert last.startswith("kubectl ")


def test_the_second_command_brings_every_image_that_is_built_for_the_overlay():
    """One that is missing on the node would be looked for in a registry, and not found."""
    (load,) = (one for one in installing.five_commands() if installing.KIND in one)
    told = subprocess.run(
        ["bash", "-c", load.replace(installing.KIND, "printf '%s\\n'")],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    ).stdout.split()
    asked = {
        container["image"]
        for one in kustomized.documents(WITHOUT_OPERATORS)
        if "template" in one.get("spec", {})
        for container in Workload(one).containers
    }

    assert set(told) == {image for image in asked if image.startswith("engagement/")}
    assert {image.split("/")[1].split(":")[0] for image in told} == set(images.OURS)


def test_the_last_command_forwards_the_ports_that_the_pod_listens_on():
    *_, last = installing.five_commands()
    (api,) = (
        Workload(one)
        for one in kustomized.documents(WITHOUT_OPERATORS)
        if (one["kind"], one["metadata"]["name"]) == ("Deployment", "client-api")
    )
    issuer = next(one for one in api.containers if one["name"] == "issuer")
    ports = [port["containerPort"] for port in api.main["ports"] if port["name"] == "http"]
    ports += [int(one["value"]) for one in issuer["env"] if one["name"] == "ISSUER_PORT"]

    assert [int(port) for port in re.findall(r" (\d+)\b", last)] == ports
    assert ports == [installing.API_PORT, installing.ISSUER_PORT]


@pytest.mark.parametrize("overlay", kustomized.OVERLAYS)
def test_every_secret_file_that_an_overlay_asks_for_is_made_up(overlay: str, tmp_path: Path):
    """They are found without a YAML reader, which a new user may not have."""
    text = (SOURCE / overlay / "kustomization.yaml").read_text()
    (tmp_path / "kustomization.yaml").write_text(text)
    asked = [
        file for one in yaml.safe_load(text).get("secretGenerator", []) for file in one["envs"]
    ]

    made = made_up_secrets.make(tmp_path)

    assert [str(file.relative_to(tmp_path)) for file in made] == asked
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in made)
    assert made_up_secrets.make(tmp_path) == []


def test_secrets_are_made_up_by_nothing_but_python():
    """Whoever deploys has not set the repository up."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", made_up_secrets.__file__],
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0


def test_a_folder_that_is_no_overlay_gets_no_secrets(tmp_path: Path, capsys):
    assert made_up_secrets.main([str(tmp_path)]) == 2
    assert "is no overlay" in capsys.readouterr().err


def test_a_clone_has_what_is_not_committed_yet_and_nothing_that_is_ignored(tmp_path: Path):
    clone = checkout.clone(tmp_path / "clone")

    assert (clone / "README.md").read_text() == (ROOT / "README.md").read_text()
    assert (clone / "Makefile").read_text() == (ROOT / "Makefile").read_text()
    assert not (clone / ".venv").exists()


def test_a_new_user_has_neither_our_environment_nor_a_make_around():
    inner = f"{ROOT / '.venv' / 'bin'}{os.pathsep}/usr/bin"
    found = checkout.environment({"PATH": inner, "MAKEFLAGS": "-w", "HOME": "/home"})
    assert found == {"PATH": "/usr/bin", "HOME": "/home"}


def test_commands_are_read_as_they_stand_whatever_comments_look_like(tmp_path: Path):
    guide = tmp_path / "guide.md"
    guide.write_text(
        "## A\n```sh\n# no heading\none \\\n  --more\ntwo\n```\n\n## B\n```sh\nx\n```\n"
    )
    (block,) = guides.blocks(guide, "A")

    assert guides.commands(block) == ["# no heading", "one \\\n  --more", "two"]
