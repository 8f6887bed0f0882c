"""Runs and their folders: the one that goes on is found, those that ended are removed."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from stack import runs
from stack.runs import Owner, State


@pytest.fixture
def ended() -> Owner:
    """A process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return Owner(process.pid, 0.0)


def state_of(owner: Owner, folder: Path) -> State:
    """Describe a run."""
    return State(
        owner=owner,
        folder=str(folder),
        api_url="http://127.0.0.1:8000",
        bootstrap_servers="127.0.0.1:9092",
        connect_url="http://127.0.0.1:8083",
        topic_partitions=4,
        clock_file=str(folder / "clock.json"),
        model_sandbox=True,
        engage_database_url="postgresql://engage:secret@127.0.0.1:15432/engage",
        mailer_url="http://127.0.0.1:8030",
        issuer_url="http://127.0.0.1:8020",
        auth_audience="api",
        tools_client_id="tools",
        tools_client_secret="secret",
    )


def test_a_run_that_goes_on_is_found(tmp_path: Path):
    """What one process writes, another reads, as long as the first lives."""
    state = state_of(Owner.me(), tmp_path)
    state.write(tmp_path / "state.json")
    assert runs.read(tmp_path / "state.json") == state


def test_no_run_is_found_when_there_was_none(tmp_path: Path):
    """Without a file nothing runs."""
    assert runs.read(tmp_path / "state.json") is None


def test_a_run_that_was_killed_is_not_found(tmp_path: Path, ended: Owner):
    """The file that a killed run leaves behind points to nobody."""
    state_of(ended, tmp_path).write(tmp_path / "state.json")
    assert runs.read(tmp_path / "state.json") is None


def test_another_process_with_the_same_number_is_not_the_owner():
    """Process numbers are used again; the time of creation tells them apart."""
    assert Owner.me().lives()
    assert not replace(Owner.me(), created=1.0).lives()


def test_only_its_own_file_is_withdrawn(tmp_path: Path):
    """A run that ends leaves the file of a later one alone."""
    file = tmp_path / "state.json"
    early = state_of(Owner.me(), tmp_path / "early")
    late = state_of(Owner.me(), tmp_path / "late")
    early.write(file)
    late.write(file)
    early.withdraw(file)
    assert runs.read(file) == late
    late.withdraw(file)
    assert not file.exists()


def test_folders_of_runs_that_ended_are_removed(tmp_path: Path, ended: Owner):
    """A new run makes room: ended ones go, those that live and what is no run stay."""
    old, mine, other = tmp_path / "old", tmp_path / "mine", tmp_path / "other"
    for folder in (old, mine, other):
        folder.mkdir()
    (old / runs.OWNER_FILE).write_text(json.dumps(asdict(ended)))
    runs.claim(mine)
    new = runs.new_folder(tmp_path)
    assert not old.exists()
    assert mine.is_dir()
    assert other.is_dir()
    assert new.name.endswith(f"-{os.getpid()}")
    assert Owner(**json.loads((new / runs.OWNER_FILE).read_text())) == Owner.me()
