"""The look at the machine before anything is installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stack import doctor
from stack.java import version_of


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("v20.19.3\n", (20, 19, 3)),
        ('openjdk version "17.0.15" 2025-04-15', (17, 0, 15)),
        ('openjdk version "25" 2025-09-16', (25,)),
        ("nothing", ()),
    ],
)
def test_versions_are_read_from_what_programs_say(said: str, version: tuple[int, ...]):
    """Each program says its version in its own way."""
    assert doctor.version_in(said) == version


@pytest.mark.parametrize(
    ("said", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_401"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ("not Java at all", None),
    ],
)
def test_javas_major_version_is_read(said: str, major: int | None):
    """Old Javas count from 1.8, new ones from 9."""
    assert version_of(said) == major


def program(folder: Path, name: str, says: str) -> None:
    """Make a program that says something."""
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{says}'\n")
    file.chmod(0o755)


def look_with(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the doctor as make does, with another PATH."""
    return subprocess.run(
        [sys.executable, doctor.__file__, *words],
        env={**os.environ, "PATH": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_everything_that_is_missing_is_said_in_one_line(tmp_path: Path):
    """A machine with an old Node and nothing else is told all at once."""
    program(tmp_path, "node", "v18.20.4")
    done = look_with(tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Node 20.19 or later (found 18.20.4)" in done.stderr
    for what in ("Java 17 or later", "Maven (mvn)", "npm", "chromium"):
        assert f"{what} (not found)" in done.stderr


def test_a_machine_that_has_all_is_told_nothing(tmp_path: Path):
    """Nothing is said when nothing is missing."""
    program(tmp_path, "node", "v20.19.0")
    program(tmp_path, "java", 'openjdk version "17.0.15"')
    for name in ("npm", "mvn", "chromium", "unshare"):
        program(tmp_path, name, "here")
    done = look_with(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("says", "toolchain", "problem"),
    [
        ("go version go1.26.8 linux/amd64", "local", None),
        ("go version go1.24.1 linux/amd64", "auto", None),
        ("go version go1.24.1 linux/amd64", "local", "found 1.24.1"),
        ("go version go1.19.8 linux/amd64", "", "found 1.19.8"),
        (None, "", "not found"),
    ],
)
def test_go_is_looked_for_where_deploy_is_checked_and_nowhere_else(
    tmp_path: Path, says: str | None, toolchain: str, problem: str | None
):
    """One that is new enough, or fetches such a one; who only runs the demo needs none."""
    if says is not None:
        go = tmp_path / "go"
        go.write_text(f'#!/bin/sh\n[ "$1" = env ] && echo "{toolchain}" || echo "{says}"\n')
        go.chmod(0o755)
    done = look_with(tmp_path, "--deploy")
    told = (
        "" if problem is None else f"this machine lacks: Go 1.26 or later (go.dev/dl) ({problem})"
    )
    assert told in done.stderr
    assert done.returncode == (0 if problem is None else 1)
    assert "Go 1.26" not in look_with(tmp_path).stderr


def test_apt_is_asked_for_the_packages_of_what_is_missing(monkeypatch: pytest.MonkeyPatch):
    """As root, what lacks is installed from Debian, without a question."""
    asked: list[list[str]] = []
    monkeypatch.setattr(
        subprocess, "run", lambda words, **options: asked.append([*words, *options])
    )
    doctor.install([need for need in doctor.NEEDS if need.what in {"Maven (mvn)", "chromium"}])
    assert [words[:3] for words in asked] == [
        ["apt-get", "-qq", "update"],
        ["apt-get", "-qq", "install"],
    ]
    assert {"maven", "chromium", "--yes"} <= set(asked[1])
